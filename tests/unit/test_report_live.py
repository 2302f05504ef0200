"""The page that is served: to this machine, to who has its address, and nothing but the page."""

import dataclasses
import http.client
import json
import socket
import threading
from contextlib import closing, contextmanager

import pytest

import cginit
from cginit.errors import InputError
from cginit.refine.store import End
from cginit.report import live
from cginit.report.live import LivePage
from made_refinements import PAIRS, commit, mixture


@contextmanager
def served(folder):
    with LivePage(folder) as found:
        thread = threading.Thread(target=found.serve, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            found.stop()
            thread.join(10)


def ask(found, path, method="GET", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=20)
    try:
        connection.request(method, path, headers={} if host is None else {"Host": host})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def token(found):
    return found.address.split("/")[3]


def test_it_serves_the_page_and_its_data_and_nothing_else(tmp_path):
    running = mixture(tmp_path)
    with closing(running), served(tmp_path) as found:
        place = f"/{token(found)}/"
        answer, content = ask(found, place)
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert b'id="live">{"address":"data.json"' in content
        answer, content = ask(found, place + "data.json")
        assert (answer.status, json.loads(content)["version"]) == (200, found._newest.data()["version"])
        for name, value in live.HEADERS.items():
            assert answer.headers[name] == value
        answer, content = ask(found, place, "HEAD")
        assert (answer.status, content) == (200, b"")
        for other in ("", "/", "/x/", place[:-1], place + "refinement.json", place + "../refinement.json"):
            assert ask(found, other or "*")[0].status == 404, other
        for other in (
            "/" + "a" * 43 + "/",
            f"/{token(found)[:-1]}/",
            f"/{token(found)}x/",
            f"/{token(found)}%C3%A9/",
        ):
            assert ask(found, other)[0].status == 404, other
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert ask(found, place, method)[0].status == 501, method


def test_it_listens_on_this_machine_only_and_to_its_own_name(tmp_path):
    running = mixture(tmp_path)
    with closing(running), served(tmp_path) as found:
        assert found._server.server_address[0] == "127.0.0.1"
        place = f"/{token(found)}/"
        # A page of the web whose name was made to point here.
        for host in ("evil.example", f"evil.example:{found.port}", "127.0.0.1", ""):
            assert ask(found, place, host=host)[0].status == 403, host
        assert ask(found, place, host=f"localhost:{found.port}")[0].status == 200
        with LivePage(tmp_path) as other:
            assert token(other) != token(found)
            assert len(token(other)) == 43


def test_it_follows_the_refinement(tmp_path):
    store = mixture(tmp_path, rounds=2)
    with served(tmp_path) as found:
        place = f"/{token(found)}/data.json"
        first = json.loads(ask(found, place)[1])
        assert (first["status"], first["simulating"], len(first["frames"])) == ("running", 2, 2)
        # Nothing is sent where nothing is new.
        assert ask(found, f"{place}?since={first['version']}")[0].status == 204
        last = store.rounds()[-1][0]
        commit(store, dataclasses.replace(last, index=2))
        second = json.loads(ask(found, f"{place}?since={first['version']}")[1])
        assert (len(second["frames"]), second["simulating"]) == (3, 3)
        store.end(End("CAP", False, "stopped at the cap", 2))
        store.close()
        third = json.loads(ask(found, f"{place}?since={second['version']}")[1])
        assert (third["status"], third["sentence"], third["simulating"]) == (
            "stopped",
            "stopped at the cap",
            None,
        )
        # What cannot be read just now leaves the page as it is.
        (tmp_path / "iteration_001" / "curves.npz").write_bytes(b"damaged")
        (tmp_path / "end.json").unlink()
        assert json.loads(ask(found, place)[1]) == third


def test_it_begins_before_the_first_simulation_is_finished(tmp_path):
    store = mixture(tmp_path, rounds=0)
    with served(tmp_path) as found:
        place = f"/{token(found)}/data.json"
        assert json.loads(ask(found, place)[1])["frames"] == []
        other = mixture(tmp_path.parent / f"{tmp_path.name}-other", rounds=1)
        commit(store, other.rounds()[0][0])
        assert len(json.loads(ask(found, place)[1])["frames"]) == 1
    assert cginit.open(tmp_path).rounds[0][0].rdfs[PAIRS[0]].r_max == 2.5


def test_what_cannot_be_served_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="holds no refinement"):
        LivePage(tmp_path)
    mixture(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"the page cannot be served at the port \d+ .*--port"):
            LivePage(tmp_path, taken.getsockname()[1])

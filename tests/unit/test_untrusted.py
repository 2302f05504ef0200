"""Files of others: neither entities nor archives that unpack to gigabytes, and models are the ones described."""

import inspect
import json
import shutil
import time
import zipfile
from importlib.resources import files
from io import BytesIO

import numpy as np
import pytest

from cginit import read_table, untrusted
from cginit.errors import InputError
from cginit.models.model import SHIPPED, model_names, open_session, read_model
from cginit.trajectory.mapping_files import read_mapping
from cginit.untrusted import LARGEST_ARRAYS, parse_xml, read_arrays
from cginit.votca import read_settings

LAUGHS = "<!DOCTYPE a [" + "".join(f'<!ENTITY x{k} "{f"&x{k - 1};" * 10 if k else "ha"}">' for k in range(12))
BOMBS = {
    "laughs": LAUGHS + "]><a>&x11;</a>",
    "file": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "parameter": '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://localhost/"> %x;]><a/>',
    "deep": "<a>" * 100_000 + "</a>" * 100_000,
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize(
    "read", [read_settings, lambda path: read_mapping(str(path)), lambda path: read_table(path)]
)
def test_xml_that_does_harm_is_refused(tmp_path, name, read):
    path = tmp_path / "bad.xml"
    path.write_text(BOMBS[name])
    began = time.process_time()
    with pytest.raises(InputError, match=r"bad\.xml.*(entity|nests more)"):
        read(path)
    assert time.process_time() - began < 5.0


def test_xml_keeps_what_it_says():
    root = parse_xml(
        '<?xml version="1.0" encoding="latin-1"?><a x="1"><!-- c --><b>é&amp;</b></a>'.encode("latin-1"), "a"
    )
    assert (root.tag, root.attrib, root.findtext("b")) == ("a", {"x": "1"}, "é&")
    assert len(root) == 1
    assert parse_xml("<a><!-- c --></a>", "a", comments=True)[0].text == " c "
    for text in ("", "<a>", "<a></b>", "no", b"\xff\xfe\x00", b'<?xml version="1.0" encoding="none"?><a/>'):
        with pytest.raises(InputError, match=r"a\.xml is not valid XML"):
            parse_xml(text, "a.xml")


def bomb(size, stated=None):
    """Return an npz of zeros of so many bytes, whose arrays state as many of their own."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("U", "F"):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                header = {"descr": "<f8", "fortran_order": False, "shape": ((stated or size) // 8,)}
                np.lib.format.write_array_header_1_0(member, header)
                for _ in range(size // 2**20):
                    member.write(bytes(2**20))
        for name in ("r_min", "r_cut"):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.array(1.0))
    return stream.getvalue()


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "u.npz"
    # Its limit is the one that stands there, or a bomb of that size would take seconds to make.
    assert inspect.signature(read_arrays).parameters["largest"].default == LARGEST_ARRAYS == 2**29
    with monkeypatch.context() as patch:
        patch.setattr(untrusted.read_arrays, "__defaults__", (2**25,))
        path.write_bytes(bomb(2**24))
        assert path.stat().st_size < 2**16
        # It is refused by what the directory of the archive states, before anything is unpacked.
        patch.setattr(zipfile.ZipFile, "open", lambda *_, **__: pytest.fail("it was unpacked"))
        with pytest.raises(InputError, match=r"u\.npz unpacks to 32 MiB"):
            read_table(path, units="lj")
    # What an array says of itself is not believed, either: this would be 8 TiB.
    path.write_bytes(bomb(2**20, stated=2**43))
    with pytest.raises(InputError, match=r"states a shape .* but holds"):
        read_table(path, units="lj")
    stream = BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    with pytest.raises(InputError, match="but holds"):
        read_arrays(stream.getvalue(), "a.npy")
    for damaged in (b"PK\x03\x04", b"\x93NUMPY", bomb(2**20)[:-100], b""):
        with pytest.raises(InputError, match=r"a\.npz is no"):
            read_arrays(damaged, "a.npz")


def test_pickled_objects_are_refused(tmp_path):
    path = tmp_path / "u.npz"
    np.savez(path, U=np.array([print], dtype=object), F=np.zeros(1), r_min=0.0, r_cut=1.0)
    with pytest.raises(InputError, match="not a table for HOOMD"):
        read_table(path, units="lj")


def test_a_model_is_the_one_that_was_described(tmp_path):
    place = files("cginit.models") / "shipped"
    for suffix in (".json", ".onnx"):
        shutil.copy(str(place / f"cn-f{suffix}"), tmp_path)
    read_model(tmp_path, "cn-f")
    weights = tmp_path / "cn-f.onnx"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(InputError, match=r"not the file that cn-f\.json describes"):
        read_model(tmp_path, "cn-f")
    description = json.loads((tmp_path / "cn-f.json").read_text())
    del description["onnx_sha256"]
    (tmp_path / "cn-f.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="describes"):
        read_model(tmp_path, "cn-f")


@pytest.mark.parametrize("name", model_names(("pressure", "bridge")))
def test_a_network_answers_the_same_with_and_without_optimisation(name):
    content = (SHIPPED / f"{name}.onnx").read_bytes()
    sessions = [open_session(content, optimised=optimised) for optimised in (False, True)]
    rng = np.random.default_rng(1)
    inputs = {
        one.name: rng.uniform(0.2, 1.0, [3, *one.shape[1:]]).astype(np.float32)
        for one in sessions[0].get_inputs()
    }
    as_it_is, optimised = (session.run(None, inputs) for session in sessions)
    for before, after in zip(as_it_is, optimised, strict=True):
        # Sums of some hundred numbers of single precision, layer after layer.
        np.testing.assert_allclose(before, after, rtol=1e-3, atol=1e-4)

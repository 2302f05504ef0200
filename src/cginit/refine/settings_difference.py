"""How the settings of a folder differ from those of today, in words."""

from __future__ import annotations

import re

__all__ = ["settings_difference"]

#: Settings as Python prints them: a name, and in parentheses keys and plain values.
_SETTINGS = re.compile(r"(\w+)\(([^()]*)\)")
_SETTING = re.compile(r"(\w+)=([^,=]+)(?:, |$)")


def settings_difference(name: str, there: str | None, here: str | None) -> str:
    """Return in words how a setting of a folder differs from that of today, of many in one only those that do.

    Parameters
    ----------
    name : str
        What is set.
    there, here : str or None
        As the folder holds it and as it is today; None where one does not know it.

    Examples
    --------
    >>> settings_difference("schedule", "Schedule(every=50, dt=0.005)", "Schedule(every=100, dt=0.005)")
    'schedule: every = 50 there, 100 here'
    """
    parts = [_SETTINGS.fullmatch(text or "") for text in (there, here)]
    if parts[0] and parts[1] and parts[0][1] == parts[1][1]:
        old, new = (dict(_SETTING.findall(found[2])) for found in parts if found)
        # In the order of both, each name once.
        changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        if changed:
            return f"{name}: " + ", ".join(
                f"{key} = {old.get(key)} there, {new.get(key)} here" for key in changed
            )
    return f"{name}: {there} there, {here} here"

"""Files of others: XML without entities, archives that unpack to what they may, refusals that name the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from cginit.errors import InputError

if TYPE_CHECKING:
    from xml.etree import ElementTree

__all__ = ["LARGEST_ARRAYS", "parse_xml", "read_arrays", "reads_a_file"]

#: Bytes that the arrays of one file may unpack to: a table of ten million rows has 160 MB.
LARGEST_ARRAYS = 512 * 2**20
#: Elements within elements, of which tables and settings have some five.
DEEPEST = 100


def parse_xml(text: str | bytes, name: str, *, comments: bool = False) -> ElementTree.Element:
    """Return the root of an XML document that defines no entities.

    Entities can make gigabytes of a few lines, or read other files, and no file that is read here needs them. Text is
    of the encoding that it declares.

    Parameters
    ----------
    text : str or bytes
        The document.
    name : str
        Its name, for messages.
    comments : bool
        Whether comments are kept, with a function as their tag.

    Raises
    ------
    InputError
        If it is no XML, defines entities, or nests without end.

    Examples
    --------
    >>> parse_xml("<a><b/></a>", "a.xml")[0].tag
    'b'
    >>> parse_xml('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "a.xml")
    Traceback (most recent call last):
        ...
    cginit.errors.InputError: a.xml, line 1 defines the entity 'b', which is not read here: write what it stands for
    """
    # A g(r) and most tables are no XML, and a guess need not wait for its parser.
    from xml.etree import ElementTree
    from xml.parsers import expat

    builder = ElementTree.TreeBuilder(insert_comments=comments)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise InputError(
                f"{name}, line {parser.CurrentLineNumber} nests more than {DEEPEST} elements; it is no file of "
                "settings or tables"
            )
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def entity(what: str, *_: Any) -> NoReturn:
        raise InputError(
            f"{name}, line {parser.CurrentLineNumber} defines the entity {what!r}, which is not read here: write "
            "what it stands for"
        )

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = builder.data
    if comments:
        parser.CommentHandler = builder.comment
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} is not valid XML: {error}; correct it there") from None
    return builder.close()


def read_arrays(data: bytes, name: str, largest: int = LARGEST_ARRAYS) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` by name, or that of an ``.npy`` by an empty name, up to a size.

    Nothing is unpickled.

    Raises
    ------
    InputError
        If it is no such file, unpacks to more than `largest` bytes, or its arrays state another size than they
        have.

    Examples
    --------
    >>> stream = BytesIO()
    >>> np.savez(stream, r=np.arange(3.0))
    >>> read_arrays(stream.getvalue(), "a.npz")["r"].tolist()
    [0.0, 1.0, 2.0]
    """
    try:
        return _arrays(data, name, largest)
    except InputError:
        raise
    except Exception as error:
        # A damaged file makes NumPy, zipfile, zlib and the tokenizer of its header raise what they like.
        raise InputError(f"{name} is no .npy or .npz file of numbers: {error}") from None


def _arrays(data: bytes, name: str, largest: int) -> dict[str, NDArray[Any]]:
    if data.startswith(np.lib.format.MAGIC_PREFIX):
        _check_size(BytesIO(data), len(data), name)
        return {"": np.load(BytesIO(data), allow_pickle=False)}
    # Plain tables do without.
    import zipfile

    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        size = sum(one.file_size for one in members)
        if size > largest:
            raise InputError(
                f"{name} unpacks to {size / 2**20:.0f} MiB, which no table has; the limit is "
                f"{largest / 2**20:.0f} MiB"
            )
        for one in members:
            if one.filename.endswith(".npy"):
                with archive.open(one) as member:
                    _check_size(member, one.file_size, f"{name}: {one.filename.removesuffix('.npy')}")
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def _check_size(member: Any, size: int, where: str) -> None:
    """Compare what the header of an array states with what there is, before memory is taken for it."""
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(member)
    stated = int(np.prod(shape, dtype=object)) * kind.itemsize
    # What holds objects is refused when it is read.
    if stated > size and not kind.hasobject:
        raise InputError(
            f"{where} states a shape {shape} of {stated} bytes, but holds {size}; the file is damaged"
        )


P = ParamSpec("P")
T = TypeVar("T")
#: Characters of a message; a row of a damaged file may have thousands of columns.
LONGEST_MESSAGE = 1200


def reads_a_file(reader: Callable[P, T]) -> Callable[P, T]:
    """Decorate a reader, whose first argument is a path: every refusal names the file, and is short enough to read.

    What damaged files do to numbers on the way (infinite products, differences of infinite values) is no warning to
    users: the checks of what comes of it refuse it.

    Examples
    --------
    >>> @reads_a_file
    ... def read(path):
    ...     raise InputError("u[3] is nan; every value must be finite")
    >>> read("a.pot")
    Traceback (most recent call last):
        ...
    cginit.errors.InputError: a.pot: u[3] is nan; every value must be finite
    """

    @wraps(reader)
    def read(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            with np.errstate(all="ignore"):
                return reader(*arguments, **options)
        except InputError as error:
            path = arguments[0] if arguments else options["path"]
            text, name = str(error), os.fspath(cast("str | os.PathLike[str]", path))
            if name in text and len(text) <= LONGEST_MESSAGE:
                raise
            if len(text) > LONGEST_MESSAGE:
                half = LONGEST_MESSAGE // 2
                text = f"{text[:half]} ... {text[-half:]}"
            raise InputError(text if name in text else f"{name}: {text}") from error

    return read

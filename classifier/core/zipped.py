"""Open an archive that a stranger sent: few members, little when unpacked, no password, and no more read than allowed.

Nothing is ever unpacked to the disk, so the names of its members can't lead anywhere.
"""

import io
import zipfile
import zlib

from classifier.core.errors import NotText

MOST_MEMBERS = 5000
# What all members say they hold, pictures included. Books of 10 MB hold little more, as pictures are packed already.
MOST_BYTES = 200_000_000
# What is read of the members that hold text; a long novel's are 3 MB.
MOST_READ = 30_000_000
_ENCRYPTED = 0x1


class Zipped:
    """The members of an archive, by name.

    Raises
    ------
    NotText
        When it is damaged, protected by a password, or larger than any book.
    """

    def __init__(self, data: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        # NotImplementedError and others: zipfile's answers to headers that contradict themselves.
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, OverflowError) as error:
            raise NotText(
                "This file is damaged: its archive can't be opened. Get it again, and choose it again."
            ) from error
        members = self._archive.infolist()
        if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
            raise NotText("This file unpacks to far more than any book holds; it is not read.")
        if any(member.flag_bits & _ENCRYPTED for member in members):
            raise NotText("This file is protected by a password. Save it without one, and choose it again.")
        self._names = {member.filename for member in members}
        self._left = MOST_READ

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        """Return what the member ``name`` holds.

        Raises
        ------
        NotText
            When there is none, it is damaged, or more was read than ``MOST_READ``.
        """
        try:
            with self._archive.open(name) as member:
                # The sizes in the headers may lie; what is asked for is the most that is unpacked.
                data = member.read(self._left + 1)
        except KeyError as error:
            raise NotText("This file is damaged: it lacks %(part)s.", part=name[:80]) from error
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise NotText(
                "This file is damaged: a part of it can't be unpacked. Get it again, and choose it again."
            ) from error
        self._left -= len(data)
        if self._left < 0:
            raise NotText("This file unpacks to far more than any book holds; it is not read.")
        return data

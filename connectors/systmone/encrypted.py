"""Opens encrypted archives with the password agreed with the supplier: AES (WinZip AE-1, AE-2) and the old ZipCrypto.

The standard library reads no AES; pyzipper does, at some 50 MB a second. ZipCrypto is weak, and a hundred times slower
(half a MB a second), so AES is to be agreed. The password is in no message.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final

#: Marks in an entry's flags: encrypted; and encrypted by PKWARE's own "strong" method, which nothing free reads.
ENCRYPTED: Final = 0x1
_STRONG: Final = 0x40


class PasswordWrong(Exception):
    """An entry does not open with the password."""


class EncryptionUnknown(Exception):
    """An entry is encrypted by a method that cannot be read."""


def is_encrypted(archive: zipfile.ZipFile) -> bool:
    """Whether any entry needs a password."""
    return any(info.flag_bits & ENCRYPTED for info in archive.infolist())


def unlocked(file: io.RawIOBase, password: str) -> Any:
    """The archive as one that `zipfile`'s callers can read, opened with the password; nothing is read from it yet."""
    import pyzipper

    archive = pyzipper.AESZipFile(file)
    archive.setpassword(password.encode())
    return archive


def require_password_fits(archive: Any) -> None:
    """Try the password on every encrypted entry: ZipCrypto lets one wrong password in 256 pass for one entry.

    Raises:
        PasswordWrong: it does not fit an entry.
        EncryptionUnknown: an entry's method cannot be read.
    """
    for info in archive.infolist():
        if not info.flag_bits & ENCRYPTED:
            continue
        if info.flag_bits & _STRONG:
            raise EncryptionUnknown
        try:
            archive.open(info).close()
        except NotImplementedError:  # what zipfile and pyzipper raise for a method they do not know
            raise EncryptionUnknown from None
        except RuntimeError:
            raise PasswordWrong from None


def damage() -> tuple[type[Exception], ...]:
    """What pyzipper raises for damaged data, besides what `zipfile` does."""
    import pyzipper

    return (pyzipper.BadZipFile,)

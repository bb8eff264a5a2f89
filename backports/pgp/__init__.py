"""OpenPGP for mail, by GnuPG: the one way in which anything here encrypts, signs, decrypts or verifies mail.

    with Home(secret=room_key, publics=[cert]) as home:
        home.encrypt(data, to=fingerprint)      # signed with the secret key
        home.open(message)                      # Opened: the data and what its signature proves

`inspect` says whether mail can be encrypted to a key. No key server is ever asked, and the keyring of the account that
runs this is never touched.
"""

from .errors import PgpError
from .home import Home, Opened
from .keys import Key, KeyState, inspect
from .roomkey import RoomKey, load_room_key, make_room_key
from .verdicts import Seal, SealState

__all__ = [
    "Home",
    "Key",
    "KeyState",
    "Opened",
    "PgpError",
    "RoomKey",
    "Seal",
    "SealState",
    "inspect",
    "load_room_key",
    "make_room_key",
]

# libssh as a client of the matrix, through its C interface: takes account, steps and choice as JSON, prints listed names.
import json
import os
import stat
import sys
from ctypes import CDLL, POINTER, byref, c_char_p, c_int, c_size_t, c_ssize_t, c_uint, c_uint64, c_void_p, cast
from ctypes import create_string_buffer

lib = CDLL("libssh.so.4")
pointers = ["ssh_new", "sftp_new", "sftp_open", "sftp_opendir", "sftp_readdir", "sftp_stat"]
for word in pointers:
    getattr(lib, word).restype = c_void_p
lib.ssh_get_error.restype = c_char_p
lib.sftp_read.restype = c_ssize_t
lib.sftp_write.restype = c_ssize_t
lib.ssh_get_error.argtypes = [c_void_p]
lib.ssh_options_set.argtypes = [c_void_p, c_int, c_void_p]
lib.ssh_connect.argtypes = [c_void_p]
lib.ssh_pki_import_privkey_file.argtypes = [c_char_p, c_char_p, c_void_p, c_void_p, POINTER(c_void_p)]
lib.ssh_userauth_publickey.argtypes = [c_void_p, c_char_p, c_void_p]
lib.sftp_new.argtypes = [c_void_p]
lib.sftp_init.argtypes = [c_void_p]
lib.sftp_open.argtypes = [c_void_p, c_char_p, c_int, c_uint]
lib.sftp_seek64.argtypes = [c_void_p, c_uint64]
lib.sftp_read.argtypes = [c_void_p, c_void_p, c_size_t]
lib.sftp_write.argtypes = [c_void_p, c_void_p, c_size_t]
lib.sftp_close.argtypes = [c_void_p]
lib.sftp_opendir.argtypes = [c_void_p, c_char_p]
lib.sftp_readdir.argtypes = [c_void_p, c_void_p]
lib.sftp_closedir.argtypes = [c_void_p]
lib.sftp_stat.argtypes = [c_void_p, c_char_p]
lib.sftp_mkdir.argtypes = [c_void_p, c_char_p, c_uint]
lib.sftp_rename.argtypes = [c_void_p, c_char_p, c_char_p]
lib.sftp_attributes_free.argtypes = [c_void_p]
lib.sftp_async_read_begin.argtypes = [c_void_p, c_uint]
lib.sftp_async_read.argtypes = [c_void_p, c_void_p, c_uint, c_uint]
lib.sftp_free.argtypes = [c_void_p]
lib.ssh_disconnect.argtypes = [c_void_p]

# enum ssh_options_e of libssh 0.10.
HOST, PORT_STR, USER = 0, 2, 4
CIPHERS_C_S, CIPHERS_S_C, KEY_EXCHANGE, HOSTKEYS, HMAC_C_S, HMAC_S_C = 15, 16, 24, 25, 29, 30
PROCESS_CONFIG, REKEY_DATA = 38, 39

asked = json.loads(sys.argv[1])
account, choice = asked["account"], asked["choice"]
session = lib.ssh_new()


def check(good):
    if not good:
        sys.exit(f"libssh: {lib.ssh_get_error(session).decode()}")
    return good


def option(number, value):
    check(lib.ssh_options_set(session, number, value) == 0)


def open_file(path, flags):
    return check(lib.sftp_open(sftp, path.encode(), flags, 0o644))


BLOCK = 32000
IN_FLIGHT = 32


def get(remote, local, mode="wb"):
    """Keeps several reads in flight, as programs on libssh do; it answers them in their order."""
    file = open_file(remote, os.O_RDONLY)
    buffer = create_string_buffer(BLOCK)
    with open(local, mode) as here:
        check(lib.sftp_seek64(file, here.tell()) == 0)
        waiting = [check_number(lib.sftp_async_read_begin(file, BLOCK)) for _ in range(IN_FLIGHT)]
        while waiting:
            count = lib.sftp_async_read(file, buffer, BLOCK, waiting.pop(0))
            check(count >= 0)
            here.write(buffer.raw[:count])
            if count > 0:
                waiting.append(check_number(lib.sftp_async_read_begin(file, BLOCK)))
    check(lib.sftp_close(file) == 0)


def check_number(number):
    check(number >= 0)
    return number


def put(local, remote, offset=0):
    flags = os.O_WRONLY if offset > 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    file = open_file(remote, flags)
    check(lib.sftp_seek64(file, offset) == 0)
    with open(local, "rb") as here:
        here.seek(offset)
        while block := here.read(BLOCK):
            check(lib.sftp_write(file, block, len(block)) == len(block))
    check(lib.sftp_close(file) == 0)


def size_of(remote):
    """struct sftp_attributes_struct: name, longname, flags, type, size."""
    found = check(lib.sftp_stat(sftp, remote.encode()))
    size = cast(found + 24, POINTER(c_uint64)).contents.value
    lib.sftp_attributes_free(found)
    return size


def names(remote):
    folder = check(lib.sftp_opendir(sftp, remote.encode()))
    found = []
    while entry := lib.sftp_readdir(sftp, folder):
        found.append(cast(entry, POINTER(c_char_p)).contents.value.decode())
        lib.sftp_attributes_free(entry)
    check(lib.sftp_closedir(folder) == 0)
    return found


def take(step):
    verb, remote, local = step["verb"], step["remote"], step.get("local")
    if verb == "list":
        print("\n".join(names(remote)))
    elif verb == "get":
        get(remote, local)
    elif verb == "resumeGet":
        get(remote, local, "ab")
    elif verb == "put":
        put(local, remote)
    elif verb == "resumePut":
        put(local, remote, size_of(remote))
    elif verb == "getFolder":
        os.mkdir(local)
        for name in names(remote):
            get(f"{remote}/{name}", f"{local}/{name}")
    elif verb == "putFolder":
        check(lib.sftp_mkdir(sftp, remote.encode(), stat.S_IRWXU) == 0)
        for name in os.listdir(local):
            put(f"{local}/{name}", f"{remote}/{name}")
    elif verb == "rename":
        check(lib.sftp_rename(sftp, remote.encode(), step["to"].encode()) == 0)


option(PROCESS_CONFIG, byref(c_int(0)))
option(HOST, b"127.0.0.1")
option(PORT_STR, str(account["port"]).encode())
option(USER, account["user"].encode())
chosen = {"keyExchange": [KEY_EXCHANGE], "cipher": [CIPHERS_C_S, CIPHERS_S_C], "mac": [HMAC_C_S, HMAC_S_C], "hostKey": [HOSTKEYS]}
for slot, numbers in chosen.items():
    for number in numbers if slot in choice else []:
        option(number, choice[slot].encode())
if "rekeyBytes" in choice:
    option(REKEY_DATA, byref(c_uint64(choice["rekeyBytes"])))
check(lib.ssh_connect(session) == 0)
key = c_void_p()
check(lib.ssh_pki_import_privkey_file(account["keyFile"].encode(), None, None, None, byref(key)) == 0)
check(lib.ssh_userauth_publickey(session, None, key) == 0)
sftp = check(lib.sftp_new(session))
check(lib.sftp_init(sftp) == 0)
for each in asked["steps"]:
    take(each)
lib.sftp_free(sftp)
lib.ssh_disconnect(session)

# paramiko as a client of the matrix: takes account, steps and choice as JSON, and prints the names that it lists.
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
import paramiko  # noqa: E402

asked = json.loads(sys.argv[1])
account, choice = asked["account"], asked["choice"]


def read_key(file):
    for kind in (paramiko.Ed25519Key, paramiko.RSAKey, paramiko.ECDSAKey):
        try:
            return kind.from_private_key_file(file)
        except paramiko.SSHException:
            continue
    raise SystemExit("the key cannot be read")


def take(sftp, step):
    verb, remote, local = step["verb"], step["remote"], step.get("local")
    if verb == "list":
        print("\n".join(sftp.listdir(remote)))
    elif verb == "get":
        sftp.get(remote, local)
    elif verb == "put":
        sftp.put(local, remote)
    elif verb == "resumeGet":
        with sftp.open(remote, "rb") as there, open(local, "ab") as here:
            there.seek(here.tell())
            there.prefetch(there.stat().st_size)
            while block := there.read(32768):
                here.write(block)
    elif verb == "resumePut":
        size = sftp.stat(remote).st_size
        with open(local, "rb") as here, sftp.open(remote, "r+b") as there:
            there.set_pipelined(True)
            here.seek(size)
            there.seek(size)
            while block := here.read(32768):
                there.write(block)
    elif verb == "getFolder":
        os.mkdir(local)
        for name in sftp.listdir(remote):
            sftp.get(f"{remote}/{name}", f"{local}/{name}")
    elif verb == "putFolder":
        sftp.mkdir(remote)
        for name in os.listdir(local):
            sftp.put(f"{local}/{name}", f"{remote}/{name}")
    elif verb == "rename":
        sftp.rename(remote, step["to"])


transport = paramiko.Transport(("127.0.0.1", account["port"]))
options = transport.get_security_options()
for slot, name in (("keyExchange", "kex"), ("cipher", "ciphers"), ("mac", "digests"), ("hostKey", "key_types")):
    if slot in choice:
        setattr(options, name, (choice[slot],))
if "rekeyBytes" in choice:
    transport.packetizer.REKEY_BYTES = choice["rekeyBytes"]
transport.connect(username=account["user"], pkey=read_key(account["keyFile"]))
client = paramiko.SFTPClient.from_transport(transport)
for each in asked["steps"]:
    take(client, each)
client.close()
transport.close()

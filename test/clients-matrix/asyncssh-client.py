# AsyncSSH as a client of the matrix: takes account, steps and choice as JSON, and prints the names that it lists.
import asyncio
import json
import os
import sys

import asyncssh

asked = json.loads(sys.argv[1])
account, choice = asked["account"], asked["choice"]
options = {
    "keyExchange": "kex_algs",
    "cipher": "encryption_algs",
    "mac": "mac_algs",
    "hostKey": "server_host_key_algs",
}


async def take(sftp, step):
    verb, remote, local = step["verb"], step["remote"], step.get("local")
    if verb == "list":
        print("\n".join(await sftp.listdir(remote)))
    elif verb == "get":
        await sftp.get(remote, local)
    elif verb == "put":
        await sftp.put(local, remote)
    elif verb == "resumeGet":
        async with sftp.open(remote, "rb") as there:
            with open(local, "ab") as here:
                await there.seek(here.tell())
                while block := await there.read(4 * 1024 * 1024):
                    here.write(block)
    elif verb == "resumePut":
        size = await sftp.getsize(remote)
        async with sftp.open(remote, "r+b") as there:
            with open(local, "rb") as here:
                here.seek(size)
                await there.seek(size)
                while block := here.read(4 * 1024 * 1024):
                    await there.write(block)
    elif verb == "getFolder":
        await sftp.get(remote, local, recurse=True)
    elif verb == "putFolder":
        await sftp.put(local, remote, recurse=True)
    elif verb == "rename":
        await sftp.rename(remote, step["to"])


async def main():
    chosen = {name: [choice[slot]] for slot, name in options.items() if slot in choice}
    if "rekeyBytes" in choice:
        chosen["rekey_bytes"] = choice["rekeyBytes"]
    async with asyncssh.connect(
        "127.0.0.1",
        account["port"],
        username=account["user"],
        client_keys=[account["keyFile"]],
        known_hosts=None,
        config=None,
        agent_path=None,
        **chosen,
    ) as connection:
        async with connection.start_sftp_client() as sftp:
            for step in asked["steps"]:
                await take(sftp, step)


try:
    asyncio.run(main())
except (OSError, asyncssh.Error) as fault:
    sys.exit(f"{type(fault).__name__}: {fault}")

"""The ids are the same in every client library: clients/machine-id-vectors.json."""

import json
import unittest
from pathlib import Path
from typing import Any, Dict

from soleseat_client import MachineIdUnavailable, machine_id
from soleseat_client._machine_id import System

VECTORS = json.loads((Path(__file__).parents[2] / "machine-id-vectors.json").read_text("utf-8"))
MAC = {"system": "darwin", "files": {}, "environment": {}}


class Other(System):
    """Another system, as a vector tells of it."""

    def __init__(self, vector: Dict[str, Any]) -> None:
        self.vector = vector
        self.platform = vector["system"]
        self.environment = vector["environment"]

    def read_text(self, path: str) -> str:
        return self.look("files", path)

    def exists(self, path: str) -> bool:
        return path in self.vector["files"]

    def run(self, command: str, *args: str) -> str:
        return self.look("commands", " ".join((command, *args)))

    def look(self, kind: str, name: str) -> str:
        try:
            return str(self.vector[kind][name])
        except KeyError:
            raise OSError(name)


class TheSharedVectors(unittest.TestCase):
    def test_of_the_id_alone(self) -> None:
        ids = [vector for vector in VECTORS if "systemId" in vector]
        self.assertGreater(len(ids), 3)
        for vector in ids:
            output = f'"IOPlatformUUID" = "{vector["systemId"]}"'
            mac = {**MAC, "commands": {"ioreg -rd1 -c IOPlatformExpertDevice": output}}
            self.assertEqual(machine_id(vector["application"], Other(mac)).id, vector["id"])

    def test_of_whole_systems(self) -> None:
        systems = [vector for vector in VECTORS if "system" in vector]
        self.assertEqual({vector["system"] for vector in systems}, {"linux", "darwin", "win32"})
        for vector in systems:
            with self.subTest(vector["name"]):
                if vector["id"] is None:
                    with self.assertRaisesRegex(MachineIdUnavailable, "this system has no machine id"):
                        machine_id(vector["application"], Other(vector))
                else:
                    found = machine_id(vector["application"], Other(vector))
                    self.assertEqual((found.id, found.kind), (vector["id"], vector["kind"]))

    def test_of_this_system(self) -> None:
        try:
            found = machine_id("drawing")
        except MachineIdUnavailable:
            return  # a container without an id of its own
        self.assertRegex(found.id, "^[0-9a-f]{32}$")
        self.assertEqual(found, machine_id("drawing"))
        self.assertNotEqual(found.id, machine_id("other").id)


if __name__ == "__main__":
    unittest.main()

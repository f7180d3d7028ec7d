"""Whole nodes as people of each era configured them: read as they were meant, with warnings at most."""

from __future__ import annotations

import pytest

from joule.core import ElementSpec, parse_keep

DAY = 86_400_000_000


def test_a_node_of_the_first_era(node):
    node.write(
        "main.conf",
        "[NilmDB]\nurl = http://localhost/nilmdb\nInsertionPeriod = 5\nCleanupPeriod = 600\n"
        "[ProcDB]\nDbPath = /tmp/joule-proc-db.sqlite\nMaxLogLines = 100\n"
        "[Jouled]\nModuleDirectory = module_configs\nStreamDirectory = stream_configs\n"
        "ModuleDocs = /etc/joule/module_docs.json\nIPAddress = 127.0.0.1\nPort = 1234\n",
    )
    node.write(
        "module_configs/offset.conf",
        "[Main]\nname = Offset Filter\nexec_cmd = /bin/true\ndescription = adds a constant\n"
        "[Arguments]\nOffset = 4\n[Source]\nraw = /house/power/raw\n[Destination]\nshifted = /house/power/shifted\n",
    )
    node.write(
        "module_configs/meter.conf",
        "[Main]\nname = Meter\nexec_cmd = /bin/true\n[Inputs]\n[Outputs]\noutput = /house/power/raw\n",
    )
    for name, title in (("raw", "Raw Power"), ("shifted", "shifted")):
        node.write(
            f"stream_configs/{name}.conf",
            f"[Main]\nname = {title}\npath = /house/power/{name}\ndatatype = uint16\nkeep = 1m\ndecimate = yes\n"
            "[Element1]\nname = P\nunits = W\nplottable = yes\ndiscrete = yes\noffset = 0.0\nscale_factor = 1.0\n"
            "default_max = None\ndefault_min = None\n[Element2]\nname = Q\ndefault_max =\ndefault_min = null\n",
        )
    setup = node.load()
    assert {fault.severity for fault in setup.faults} == {"warning"}
    assert {fault.file for fault in setup.faults} == {node.directory / "main.conf"}
    assert [module.name for module in setup.modules] == ["Meter", "Offset Filter"]
    assert setup.modules[1].command == ["/bin/true", "--offset=4"]
    raw, shifted = setup.streams
    assert (raw.path, raw.datatype, raw.keep_us, raw.description) == (
        "/house/power/raw",
        "uint16",
        31 * DAY,
        "Raw Power",
    )
    assert (shifted.path, shifted.description) == ("/house/power/shifted", "")
    assert raw.elements == (ElementSpec(name="P", units="W", display_type="discrete"), ElementSpec(name="Q"))


def test_a_node_of_the_newest_era(node):
    for folder in ("data_stream_configs", "event_stream_configs"):
        (node.directory / folder).mkdir()
    node.write(
        "main.conf",
        "[Main]\nName = joule_node\nModuleDirectory = module_configs\nDataStreamDirectory = data_stream_configs\n"
        "EventStreamDirectory = event_stream_configs\nImporterConfigsDirectory = /etc/joule/importer_configs\n"
        "ExporterConfigsDirectory = /etc/joule/exporter_configs\nImporterDataDirectory = /var/run/joule/importer\n"
        "ExporterDataDirectory = /var/run/joule/exporter\nImporterKey = none\nUsersFile = /etc/joule/users.conf\n"
        "IPAddress = 127.0.0.1\nPort = 8088\nSocketDirectory = /tmp/joule\n"
        "Database = joule:joule@localhost:5432/joule\nInsertPeriod = 5\nCleanupPeriod = 60\n"
        "MaxLogLines = 100\nEchoModuleLogs = no\n"
        "[Security]\nCertificate = /etc/joule/security/joule.crt\nKey = /etc/joule/security/joule.key\n"
        "[Proxies]\nfiles = http://localhost:3000\n",
    )
    node.write(
        "module_configs/meter.conf",
        "[Main]\nname = Meter\nexec_cmd = /bin/true\nis_app = no\ndb_schema = meter\n[Arguments]\nrate = 10\n"
        "[Outputs]\noutput = /house/power:float32[volts, amps]\nother = /house/water\n",
    )
    node.write(
        "data_stream_configs/water.conf",
        "[Main]\nname = water\npath = /house\ndatatype = int16\nkeep = 1w\n[Element1]\nname = litres\n"
        "display_type = event\ndefault_max = 5\ndefault_min = -5\n",
    )
    setup = node.load()
    assert setup.errors == ()
    idle = [fault for fault in setup.faults if fault.file.name == "main.conf"]
    assert len(idle) == 17
    for fault in idle:
        assert "no effect here" in fault.message
        assert fault.remedy != "remove the line", "what does its work is not told"
    assert [stream.path for stream in setup.streams] == ["/house/power", "/house/water"]
    assert setup.streams[1].elements[0].display_type == "event"
    assert "db_schema" in next(str(fault) for fault in setup.faults if fault.file.name == "meter.conf")


@pytest.mark.parametrize(
    ("main", "severities"), [("[Main]\n", ["warning"]), ("[Jouled]\n", [])], ids=["newer era", "first era"]
)
@pytest.mark.parametrize("keep", ["6m", "6 M", "1y 6m"])
def test_a_bare_m_is_months_and_warned_about_where_it_may_have_meant_minutes(node, main, severities, keep):
    node.write("main.conf", main)
    path = "/s" if main == "[Main]\n" else "/s/s"
    node.write(
        "stream_configs/s.conf",
        f"[Main]\nname = s\npath = {path}\ndatatype = int8\nkeep = {keep}\n[Element1]\nname = x\n",
    )
    setup = node.load()
    assert [fault.severity for fault in setup.faults] == severities
    assert setup.streams[0].keep_us == parse_keep(keep)


@pytest.mark.parametrize("keep", ["6mo", "6 months", "90min", "5ms", "1h 30min"])
def test_what_cannot_be_mistaken_is_not_warned_about(node, keep):
    node.stream("s", main=f"keep = {keep}\n")
    assert node.load().faults == ()


@pytest.mark.parametrize(
    "datatype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"]
)
def test_the_ten_datatypes_are_read_in_files_and_inline(node, datatype):
    node.write(
        "stream_configs/s.conf", f"[Main]\nname = s\npath = /s\ndatatype = {datatype.upper()}\n[Element1]\nname = x\n"
    )
    node.module("m", f"[Outputs]\na = /s/s:{datatype}[x]\nb = /b:{datatype}[x]\n")
    setup = node.load()
    assert setup.faults == ()
    assert {stream.datatype for stream in setup.streams} == {datatype}

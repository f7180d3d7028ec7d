"""Every fault of the table: found alone, in its file and line, with what is wrong and what to do about it."""

from __future__ import annotations

import pytest

M = "[Main]\nname = m\nexec_cmd = /bin/true\n"  # three lines
S = "[Main]\nname = s\npath = /s\ndatatype = float32\n"  # four lines
E = "[Element1]\nname = x\n"
W = "[Main]\nname = w\nexec_cmd = /bin/true\n[Outputs]\noutput = /s/s\n"  # a writer of the stream of S
MM, SS, WW, MAIN = "module_configs/m.conf", "stream_configs/s.conf", "module_configs/w.conf", "main.conf"
SEC = "secrets.conf"

# what: (files, (file, line, severity, words of message and remedy))
TABLE = {
    # the text of a file
    "latin-1": ({MM: M.encode() + b"description = \xfc\n"}, (MM, 4, "error", ["0xfc", "UTF-8"])),
    "nul": ({MM: M + "description = \0\n"}, (MM, 4, "error", ["NUL", "write it anew"])),
    "no ini": ({MM: M + "a line of prose\n"}, (MM, 4, "error", ["'a line of prose'", "key = value"])),
    "no key": ({MM: M + "= 5\n"}, (MM, 4, "error", ["'= 5'", "key = value"])),
    "before any section": ({MM: "name = a\nb = c\n" + M}, (MM, 1, "error", ["before any [section]", "[Main]"])),
    "double section": ({MM: M + "[main]\n"}, (MM, 4, "error", ["[main]", "line 1", "one of the two"])),
    "double key": ({MM: M + "NAME = b\n"}, (MM, 4, "error", ["'name'", "line 2", "keep one"])),
    "lost header": (
        {MM: M + "description = a\n  [Outputs]\n"},
        (MM, 5, "warning", ["[Outputs]", "part of the value", "blanks"]),
    ),
    # main.conf
    "no main section": ({MAIN: "# nothing\n"}, (MAIN, None, "error", ["no [Main]", "start of a line"])),
    "main key": ({MAIN: "[Main]\nModulDirectory = x\n"}, (MAIN, 2, "warning", ["did you mean 'ModuleDirectory'?"])),
    "main section": ({MAIN: "[Main]\n[Mian]\n"}, (MAIN, 2, "warning", ["[Mian]", "did you mean 'Main'?"])),
    "other era's key": ({MAIN: "[Main]\nDatabase = x\n"}, (MAIN, 2, "warning", ["'database'", "DataDirectory"])),
    "other era's section": ({MAIN: "[Main]\n[Proxies]\n"}, (MAIN, 2, "warning", ["[Proxies]", "no effect"])),
    "two mains": ({MAIN: "[Jouled]\n[Main]\n"}, (MAIN, 2, "error", ["[Main]", "[Jouled] in line 1", "one of the two"])),
    "two stream directories": (
        {MAIN: "[Main]\nDataStreamDirectory = stream_configs\nStreamDirectory = .\n"},
        (MAIN, 3, "warning", ["'streamdirectory'", "line 2", "keep one"]),
    ),
    "commented directory": (
        {MAIN: "[Main]\nDataDirectory = rows # of the roof\n"},
        (MAIN, 2, "warning", ["'rows # of the roof'", "line of its own"]),
    ),
    "commented and missing directory": (
        {MAIN: "[Main]\nModuleDirectory = module_configs ; here\n"},
        (MAIN, 2, "error", ["does not exist", "comment needs a line of its own"]),
    ),
    "no directory": ({MAIN: "[Main]\nModuleDirectory = x\n"}, (MAIN, 2, "error", ["x does not exist", "mkdir -p"])),
    "file as directory": (
        {MAIN: "[Main]\nDataDirectory = main.conf\n"},
        (MAIN, 2, "error", ["is no directory", "another"]),
    ),
    "blank directory": ({MAIN: "[Main]\nLogDirectory =\n"}, (MAIN, 2, "error", ["blank", "logs"])),
    "missing secrets file": (
        {MAIN: "[Main]\nSecretsFile = gone\n"},
        (MAIN, 2, "error", ["secrets file", "gone does not exist", "chmod 600"]),
    ),
    "blank secrets file": ({MAIN: "[Main]\nSecretsFile =\n"}, (MAIN, 2, "error", ["blank", "secrets.conf"])),
    "bad log size": ({MAIN: "[Main]\nLogSize = big\n"}, (MAIN, 2, "error", ["'LogSize'", "2 MB"])),
    "small log size": ({MAIN: "[Main]\nLogSize = 5 kB\n"}, (MAIN, 2, "error", ["'5 kB'", "100 kB or more"])),
    "bad max ahead": ({MAIN: "[Main]\nMaxAhead = far\n"}, (MAIN, 2, "error", ["'MaxAhead'", "or none"])),
    "bad sync interval": ({MAIN: "[Main]\nSyncInterval = 5m\n"}, (MAIN, 2, "error", ["'SyncInterval'", "0 to 60s"])),
    "long sync interval": (
        {MAIN: "[Main]\nSyncInterval = 2min\n"},
        (MAIN, 2, "error", ["'SyncInterval' is '2min'", "power cut", "0 to 60s"]),
    ),
    # the secrets file
    "no secret": ({SEC: "A = x\nhunter2\n"}, (SEC, 2, "error", ["not NAME = value", "one line"])),
    "bad secret name": ({SEC: "my key = x\n"}, (SEC, 1, "error", ["not NAME = value", "letters"])),
    "double secret": ({SEC: "A = x\nA = y\n"}, (SEC, 2, "error", ["secret A", "line 1", "keep one"])),
    "blank secret": ({SEC: "A =\n"}, (SEC, 1, "error", ["secret A has no value", "behind the ="])),
    "open secrets": ({SEC: ("A = x\n", 0o640)}, (SEC, None, "warning", ["other users", "chmod 600"])),
    "quoted secret": ({SEC: "A = 'x'\n"}, (SEC, 1, "warning", ["quotes", "secret A", "remove"])),
    # ${NAME}
    "unset": ({MM: M + "[Arguments]\na = ${QQQ_GONE}\n"}, (MM, 5, "error", ["${QQQ_GONE}", "not set", "secrets file"])),
    "unset beside secrets": (
        {MM: M + "[Arguments]\na = ${ZZZZ}\n", SEC: "A = x\n"},
        (MM, 5, "error", ["${ZZZZ}", "secrets.conf", "$${"]),
    ),
    "nearly set": (
        {MM: M + "[Arguments]\na = ${BROKER_TOKN}\n", SEC: "BROKER_TOKEN = x\n"},
        (MM, 5, "error", ["${BROKER_TOKN}", "did you mean 'BROKER_TOKEN'?"]),
    ),
    "unset and shown": (
        {MM: M + "timeout = ${QQQ_GONE}\n"},
        (MM, 4, "error", ["${QQQ_GONE}", "not set", "environment of jouled"]),
    ),
    "secret shown": (
        {MM: M + "description = ${A}\n", SEC: "A = x\n"},
        (MM, 4, "error", ["${A} is a secret", "[Arguments]"]),
    ),
    "unprintable and shown": (
        {MM: M + "description = ${JOULE_TEST_LINES}\n"},
        (MM, 4, "error", ["${JOULE_TEST_LINES}", "cannot be printed", "one line"]),
    ),
    "no name in braces": ({MM: M + "[Arguments]\na = ${}\n"}, (MM, 5, "error", ["'a'", "not followed by NAME", "$${"])),
    "no name, shown": ({MM: M + "nice = ${-5}\n"}, (MM, 4, "error", ["'nice'", "not followed by NAME", "$${"])),
    # [Main] of a module
    "no module main": ({MM: "[Outputs]\n"}, (MM, None, "error", ["no [Main]", "exec_cmd"])),
    "no name": ({MM: "[Main]\nexec_cmd = /bin/true\n"}, (MM, 1, "error", ["no 'name'", "name = "])),
    "blank name": ({MM: "[Main]\nname =\nexec_cmd = /bin/true\n"}, (MM, 2, "error", ["'name' is blank", "name = "])),
    "bad name": ({MM: M.replace("name = m", "name = a/b")}, (MM, 2, "error", ["'a/b'", "without /"])),
    "long name": ({MM: M.replace("name = m", "name = " + "n" * 101)}, (MM, 2, "error", ["100 bytes"])),
    "daemon's name": ({MM: M.replace("name = m", "name = jouled")}, (MM, 2, "error", ["daemon's", "another name"])),
    "no exec_cmd": ({MM: "[Main]\nname = m\n"}, (MM, 1, "error", ["no 'exec_cmd'", "exec_cmd = "])),
    "open quote": ({MM: '[Main]\nname = m\nexec_cmd = a "b\n'}, (MM, 3, "error", ["quote", "not closed"])),
    "empty command": ({MM: '[Main]\nname = m\nexec_cmd = ""\n'}, (MM, 3, "error", ["names no program"])),
    "no program": (
        {MM: "[Main]\nname = m\nexec_cmd = joule-no-such-thing -x\n"},
        (MM, 3, "error", ["'joule-no-such-thing'", "not found", "PATH", "install it"]),
    ),
    "no program file": ({MM: "[Main]\nname = m\nexec_cmd = ./gone\n"}, (MM, 3, "error", ["'./gone'", "chmod +x"])),
    "no script": (
        {MM: "[Main]\nname = m\nexec_cmd = python3 gone.py\n"},
        (MM, 3, "warning", ["'gone.py'", "relative paths"]),
    ),
    "module key": ({MM: M + "exec_cdm = x\n"}, (MM, 4, "warning", ["'exec_cdm'", "did you mean 'exec_cmd'?"])),
    "unlike key": ({MM: M + "zzz = x\n"}, (MM, 4, "warning", ["'zzz'", "keys are name, exec_cmd"])),
    "idle key": ({MM: M + "db_schema = x\n"}, (MM, 4, "warning", ["'db_schema'", "no database"])),
    "bad choice": ({MM: M + "on_restart = brake\n"}, (MM, 4, "error", ["'brake'", "did you mean 'break'?"])),
    "bad timeout": ({MM: M + "timeout = 5 parsecs\n"}, (MM, 4, "error", ["'timeout'", "'parsecs'", "or none"])),
    "short timeout": ({MM: M + "timeout = 5 ms\n"}, (MM, 4, "error", ["'5 ms'", "1s or more"])),
    "idle timeout": ({MM: M + "timeout = 5s\n"}, (MM, 4, "warning", ["'timeout'", "has no outputs"])),
    "bad memory": ({MM: M + "max_memory = 500\n"}, (MM, 4, "error", ["'max_memory'", "500 MB", "or none"])),
    "small memory": ({MM: M + "max_memory = 5 kB\n"}, (MM, 4, "error", ["'5 kB'", "1 MB or more"])),
    "bad cpu": ({MM: M + "max_cpu = much\n"}, (MM, 4, "error", ["'much'", "80 %", "or none"])),
    "no cpu": ({MM: M + "max_cpu = 0 %\n"}, (MM, 4, "error", ["'0 %'", "above 0"])),
    "bad processes": ({MM: M + "max_processes = -1\n"}, (MM, 4, "error", ["'-1'", "whole number from 1"])),
    "bad nice": ({MM: M + "nice = 20\n"}, (MM, 4, "error", ["'20'", "-20", "19"])),
    "worded nice": ({MM: M + "nice = very\n"}, (MM, 4, "error", ["'very'", "whole number"])),
    "bad restarts": ({MM: M + "max_restarts = 0\n"}, (MM, 4, "error", ["'0'", "whole number from 1"])),
    "bad window": ({MM: M + "restart_window = 5m\n"}, (MM, 4, "error", ["'restart_window'", "bare m"])),
    "bad on_failed": ({MM: M + "on_failed = rerty\n"}, (MM, 4, "error", ["did you mean 'retry'?"])),
    "module section": ({MM: M + "[Argument]\n"}, (MM, 4, "warning", ["[Argument]", "did you mean 'Arguments'?"])),
    "two spellings": ({MM: M + "[Inputs]\n[Source]\n"}, (MM, 5, "error", ["[Source]", "line 4"])),
    # its arguments
    "pipes": ({MM: M + "[Arguments]\nPipes = x\n"}, (MM, 5, "error", ["'pipes'", "rename"])),
    "comment": ({MM: M + "[Arguments]\nrate = 10 #Hz\n"}, (MM, 5, "warning", ["'10 #Hz'", "line of its own"])),
    "semicolon": ({MM: M + "[Arguments]\nrate = 10 ; Hz\n"}, (MM, 5, "warning", ["comment", "line of its own"])),
    "blank in option": ({MM: M + "[Arguments]\na b = 1\n"}, (MM, 5, "error", ["'a b'", "without blanks"])),
    "dashes": ({MM: M + "[Arguments]\n--rate = 1\n"}, (MM, 5, "error", ["'--rate'", "without dashes"])),
    "two percents": ({MM: M + "[Arguments]\na = 5 %%\n"}, (MM, 5, "warning", ["'%%'", "as it stands", "one %"])),
    "interpolation": ({MM: M + "[Arguments]\na = %(b)s\n"}, (MM, 5, "warning", ["'%(b)s'", "the value itself"])),
    "comment behind a command": (
        {MM: "[Main]\nname = m\nexec_cmd = /bin/true # x\n"},
        (MM, 3, "warning", ["'exec_cmd'", "comment", "line of its own"]),
    ),
    # pipes
    "no stream": ({MM: M + "[Inputs]\ni =\n"}, (MM, 5, "error", ["'i'", "no stream", "write such as"])),
    "relative path": ({MM: M + "[Inputs]\ni = s/s\n"}, (MM, 5, "error", ["'s/s'", "begin with /"])),
    "remote": ({MM: M + "[Inputs]\ni = node2 /s/s:int8[x]\n"}, (MM, 5, "error", ["'node2'", "of this node"])),
    "commented inline": (
        {MM: M + "[Outputs]\no = /a:int8[x] # x\n"},
        (MM, 5, "error", ["TYPE[element", "comment needs a line of its own"]),
    ),
    "commented path": (
        {MM: M + "[Outputs]\no = /s/s # x\n", SS: S.replace("name = s", "name = s # x") + E},
        (MM, 5, "warning", ["'/s/s # x'", "looks like a comment"]),
    ),
    "bad inline": ({MM: M + "[Outputs]\no = /a:float32\n"}, (MM, 5, "error", ["TYPE[element", "write such as"])),
    "layout inline": ({MM: M + "[Outputs]\no = /a:float32_2\n"}, (MM, 5, "error", ["float32[x, y]"])),
    "bad type": ({MM: M + "[Outputs]\no = /a:flot32[x]\n"}, (MM, 5, "error", ["'flot32'", "did you mean 'float32'?"])),
    "no element name": ({MM: M + "[Outputs]\no = /a:int8[x,,y]\n"}, (MM, 5, "error", ["no name", "commas"])),
    "double element": ({MM: M + "[Outputs]\no = /a:int8[x, x]\n"}, (MM, 5, "error", ["'x' is named twice"])),
    "too wide": (
        {MM: M + f"[Outputs]\no = /a:int8[{','.join(map(str, range(1025)))}]\n"},
        (MM, 5, "error", ["1025", "at most 1024"]),
    ),
    "undefined": (
        {MM: M + "[Inputs]\ni = /s/t\n", SS: S + E, WW: W},
        (MM, 5, "error", ["'/s/t'", "defined nowhere", "did you mean '/s/s'?"]),
    ),
    "undefined and unlike": (
        {MM: M + "[Inputs]\ni = /q\n"},
        (MM, 5, "error", ["'/q' is defined nowhere", "stream file", "/q:float32[x, y]"]),
    ),
    "silent input": (
        {MM: M + "[Inputs]\ni = /s/s\n", SS: S + E},
        (MM, 5, "warning", ["no module writes", "add a module"]),
    ),
    "inline against file": (
        {MM: M + "[Outputs]\no = /s/s:float32[y]\n", SS: S + E},
        (MM, 5, "error", ["float32[y]", "float32[x]", "stream_configs/s.conf", "make them alike"]),
    ),
    "inline against inline": (
        {MM: M + "[Inputs]\ni = /q:int8[x, y]\n", "module_configs/a.conf": W.replace("/s/s", "/q:int8[x]")},
        (MM, 5, "error", ["int8[x, y]", "int8[x]", "a.conf:5", "make them alike"]),
    ),
    # [Main] of a stream
    "no stream main": ({SS: E}, (SS, None, "error", ["no [Main]", "datatype"])),
    "no path": ({SS: S.replace("path = /s\n", "") + E}, (SS, 1, "error", ["no 'path'", "path = "])),
    "no stream name": ({SS: S.replace("name = s\n", "") + E}, (SS, 1, "error", ["no 'name'", "name = "])),
    "bad path": ({SS: S.replace("/s", "s") + E}, (SS, 3, "error", ["begin with /", "path is the folder"])),
    "name with slash": ({SS: S.replace("= s\n", "= a/b\n") + E}, (SS, 3, "error", ["read as the folder", "correct"])),
    "no datatype": ({SS: S.replace("datatype = float32\n", "") + E}, (SS, 1, "error", ["no 'datatype'"])),
    "bad datatype": ({SS: S.replace("float32", "flaot32") + E}, (SS, 4, "error", ["did you mean 'float32'?"])),
    "bad keep": ({SS: S + "keep = 5 parsecs\n" + E}, (SS, 5, "error", ["'keep'", "'parsecs'", "or all, or none"])),
    "commented keep": ({SS: S + "keep = 1w # a week\n" + E}, (SS, 5, "error", ["comment needs a line of its own"])),
    "month or minute": (
        {SS: S + "keep = 6m\n" + E},
        (SS, 5, "warning", ["'6m'", "186d", "m is months", "write mo for months, or min for minutes"]),
    ),
    "bad decimate": ({SS: S + "decimate = maybe\n" + E}, (SS, 5, "error", ["'maybe'", "yes, no"])),
    "bad order": ({SS: S + "out_of_order = rise\n" + E}, (SS, 5, "error", ["'rise'", "did you mean 'raise'?"])),
    "stream key": ({SS: S + "decimates = no\n" + E}, (SS, 5, "warning", ["'decimates'", "did you mean 'decimate'?"])),
    "stream section": ({SS: S + E + "[Elemnt2]\n"}, (SS, 7, "warning", ["[Elemnt2]", "did you mean 'Element1'?"])),
    # elements
    "no elements": ({SS: S}, (SS, None, "error", ["no elements", "[Element1]"])),
    "too many": (
        {SS: S + "".join(f"[Element{i}]\nname = {i}\n" for i in range(1025))},
        (SS, None, "error", ["1025", "1024", "two streams"]),
    ),
    "nameless": ({SS: S + "[Element1]\nunits = V\n"}, (SS, 5, "error", ["[Element1] has no 'name'"])),
    "same name": ({SS: S + E + "[Element2]\nname = x\n"}, (SS, 7, "error", ["[Element1]", "'x'", "of its own"])),
    "order": (
        {SS: S + "[Element2]\nname = b\n" + E},
        (SS, 5, "warning", ["Element2, Element1", "order of the columns"]),
    ),
    "element key": ({SS: S + E + "unit = V\n"}, (SS, 7, "warning", ["'unit'", "did you mean 'units'?"])),
    "bad offset": ({SS: S + E + "offset = low\n"}, (SS, 7, "error", ["'offset' is 'low'", "finite number"])),
    "infinite scale": ({SS: S + E + "scale_factor = inf\n"}, (SS, 7, "error", ["'inf'", "finite number"])),
    "bad minimum": ({SS: S + E + "default_min = x\n"}, (SS, 7, "error", ["'default_min' is 'x'"])),
    "min above max": ({SS: S + E + "default_min = 2\ndefault_max = 1\n"}, (SS, 8, "error", ["2.0", "1.0", "swap"])),
    "bad display": ({SS: S + E + "display_type = disc\n"}, (SS, 7, "error", ["'disc'", "discrete"])),
    "two types of plot": (
        {SS: S + E + "discrete = no\ndisplay_type = event\n"},
        (SS, 7, "warning", ["'discrete' has no effect", "'display_type' is 'event'", "keep one"]),
    ),
    "bad discrete": ({SS: S + E + "discrete = perhaps\n"}, (SS, 7, "error", ["'perhaps'", "yes, no"])),
    "bad type of plot": ({SS: S + E + "type = x\n"}, (SS, 7, "error", ["'type'", "continuous"])),
    "bad plottable": ({SS: S + E + "plottable = 5\n"}, (SS, 7, "error", ["'plottable'", "yes, no"])),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("JOULE_TEST_LINES", "a\nb")


def write(node, what):
    files, _ = TABLE[what]
    for name, content in files.items():
        content, mode = content if isinstance(content, tuple) else (content, 0o600)
        node.write(name, content).chmod(mode)


@pytest.mark.parametrize("what", TABLE)
def test_each_fault_is_found_alone_with_place_and_remedy(node, what):
    _, (file, line, severity, words) = TABLE[what]
    write(node, what)
    fault = node.only_fault()
    assert (fault.file, fault.line, fault.severity) == (node.directory / file, line, severity)
    for word in words:
        assert word in str(fault)
    place = f"{node.directory / file}:" + (f"{line}: " if line else " ")
    assert str(fault) == f"{place}{fault.message}; {fault.remedy}"


@pytest.mark.parametrize("what", [what for what in TABLE if TABLE[what][1][0] == MM and TABLE[what][1][2] == "error"])
def test_a_module_with_an_error_is_not_run_but_known_by_name(node, what):
    write(node, what)
    setup = node.load()
    assert MM not in {str(module.file.relative_to(node.directory)) for module in setup.modules}
    assert setup.broken_modules <= {"m"}


def test_a_module_with_warnings_alone_is_run(node):
    node.module("m", "zzz = 1\n[Arguments]\nrate = 1 # Hz\n")
    setup = node.load()
    assert [fault.severity for fault in setup.faults] == ["warning", "warning"]
    assert [module.name for module in setup.modules] == ["m"]
    assert setup.errors == ()


def test_all_faults_of_all_files_come_at_once_sorted_by_place(node):
    for what in ("bad offset", "bad choice", "main key", "bad keep"):
        files, _ = TABLE[what]
        for name, content in files.items():
            node.write(name if name == MAIN else name.replace(".conf", f"-{what}.conf".replace(" ", "-")), content)
    node.write("stream_configs/double.conf", "[Main]\nname = 5\nname = 6\npath = x\nkeep = y\n[Element1]\noffset = z\n")
    faults = node.load().faults
    assert [(fault.file.name, fault.line) for fault in faults] == [
        ("main.conf", 2),
        ("m-bad-choice.conf", 4),
        ("double.conf", 1),
        ("double.conf", 3),
        ("double.conf", 4),
        ("double.conf", 5),
        ("double.conf", 6),
        ("double.conf", 7),
        ("s-bad-keep.conf", 3),  # both define /s/s
        ("s-bad-keep.conf", 5),
        ("s-bad-offset.conf", 3),
        ("s-bad-offset.conf", 7),
    ]

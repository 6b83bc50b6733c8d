#!/usr/bin/env python3
"""Each rule of lint.py catches a bad example and lets a good one pass."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lint
import sources


class Tree(unittest.TestCase):
    """A throw-away repository of a few files."""

    def judge(self, files, ratchet=None):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            messages, large = lint.examine(root)
        return messages + list(lint.check_sizes(large, ratchet or {}))

    def assert_passes(self, files, ratchet=None):
        self.assertEqual(self.judge(files, ratchet), [])

    def assert_caught(self, files, *parts, ratchet=None):
        messages = self.judge(files, ratchet)
        self.assertEqual(len(messages), 1, messages)
        for part in parts:
            self.assertIn(part, messages[0])


class IncludeDirections(Tree):
    HOST = {"host/base/clock.h": "", "host/store/pool.h": "", "host/saga/engine/engine.h": "",
            "host/sse/feed.h": "", "host/http/routes.h": "", "host/bus/event_bus.h": "", "host/bus/kafka/kafka_bus.h": ""}

    def includes(self, path, *headers):
        return {**self.HOST, path: "".join(f'#include "{header}"\n' for header in headers)}

    def test_down_the_flow_passes(self):
        self.assert_passes(self.includes("host/saga/engine/a.cpp", "base/clock.h", "bus/event_bus.h"))

    def test_up_the_flow_is_caught_with_its_place(self):
        self.assert_caught(self.includes("host/store/a.cpp", "base/clock.h", "saga/engine/engine.h"),
                           "host/store/a.cpp:2", "store/ must not include")

    def test_stages_do_not_include_each_other(self):
        self.assert_caught(self.includes("host/relay/a.cpp", "saga/engine/engine.h"), "relay/ must not include")

    def test_base_includes_nothing_of_the_project(self):
        self.assert_caught(self.includes("host/base/a.cpp", "store/pool.h"), "nothing of the project")

    def test_http_may_include_sse_and_not_the_other_way(self):
        self.assert_passes(self.includes("host/http/a.cpp", "sse/feed.h"))
        self.assert_caught(self.includes("host/sse/a.cpp", "http/routes.h"), "sse/ must not include")

    def test_only_the_composition_root_sees_an_implementation_of_the_bus(self):
        self.assert_caught(self.includes("host/relay/a.cpp", "bus/kafka/kafka_bus.h"), "bus/kafka")
        self.assert_passes(self.includes("host/bus/kafka/a.cpp", "bus/event_bus.h"))
        self.assert_passes(self.includes("host/main.cpp", "bus/kafka/kafka_bus.h", "saga/engine/engine.h"))

    def test_plugins_and_their_api_never_include_the_host(self):
        for path in ("plugins/payment/x/plugin.cpp", "plugin-api/sdk/a.h"):
            self.assert_caught(self.includes(path, "base/clock.h"), "belongs to the host")

    def test_a_plugins_own_folder_may_be_called_like_one_of_the_hosts(self):
        files = self.includes("plugins/x/plugin.cpp", "store/own.h")
        self.assert_passes({**files, "plugins/x/store/own.h": ""})

    def test_climbing_out_of_a_folder_is_caught(self):
        self.assert_caught(self.includes("plugins/x/a.cpp", "../../host/base/clock.h"), "climbs out")

    def test_an_unknown_folder_of_the_host_is_caught(self):
        self.assert_caught({"host/misc/a.cpp": ""}, "MAY_INCLUDE")

    def test_rooms_of_the_saga_keep_their_order(self):
        files = {"host/saga/core/state.h": "", "host/saga/storage/port.h": ""}
        self.assert_passes({**files, "host/saga/storage/a.cpp": '#include "saga/core/state.h"\n'})
        self.assert_caught({**files, "host/saga/core/a.cpp": '#include "saga/storage/port.h"\n'},
                           "saga/core/ must not include")

    def test_what_nobody_includes_may_neither_be_permitted_nor_linked(self):
        with tempfile.TemporaryDirectory() as root:
            for folder in ("relay", "saga/core"):
                os.makedirs(os.path.join(root, "host", folder))
            for path, text in (("relay/a.cpp", ""), ("saga/core/state.h", ""),
                               ("relay/CMakeLists.txt", "orderd_module(relay LINKS orderd_saga_core)\n"),
                               ("saga/core/CMakeLists.txt", "orderd_module(saga_core LINKS orderd_model)\n")):
                with open(os.path.join(root, "host", path), "w", encoding="utf-8") as file:
                    file.write(text)
            messages = list(lint.check_permissions(root))
        self.assertIn("tests/lint/lint.py:1: relay/ includes nothing of store/: take it out of MAY_INCLUDE",
                      messages)
        self.assertIn("host/relay/CMakeLists.txt:1: links orderd_saga_core, though relay/ includes none of "
                      "saga/core/", messages)

    def test_tests_may_include_all(self):
        self.assert_passes(self.includes("tests/unit/a.cpp", "saga/engine/engine.h", "librdkafka/rdkafka.h"))


class Fences(Tree):
    CASES = [("librdkafka/rdkafka.h", "host/bus/kafka", "host/relay"),
             ("Poco/Net/HTTPServer.h", "host/http", "host/intake"),
             ("Poco/Net/HTTPRequestHandler.h", "host/sse", "host/saga/core"),
             ("Poco/Data/Session.h", "host/store", "host/http"),
             ("libpq-fe.h", "host/store", "host/outbox"),
             ("postgresql/libpq-fe.h", "plugins/inventory/postgres", "host/saga/storage"),
             ("boost/dll/shared_library.hpp", "host/plugin_host", "plugins/payment/x"),
             ("orderd/plugin.h", "host/plugin_host", "host/saga/core")]

    def test_each_library_is_seen_by_its_folder_only(self):
        for header, inside, outside in self.CASES:
            with self.subTest(header=header):
                self.assert_passes({f"{inside}/a.cpp": f"#include <{header}>\n"})
                self.assert_caught({f"{outside}/a.cpp": f"#  include <{header}>\n"}, header, "only below")

    def test_the_http_client_is_not_fenced(self):
        self.assert_passes({"host/plugin_host/a.cpp": "#include <Poco/Net/HTTPClientSession.h>\n"})


class Sizes(Tree):
    @staticmethod
    def function(lines, head="int f(int a) {"):
        return head + "\n" + "  work();\n" * (lines - 2) + "}\n"

    def test_a_header_of_121_lines_is_caught(self):
        self.assert_passes({"host/base/a.h": "\n" * 120})
        self.assert_caught({"host/base/a.h": "\n" * 121}, "121 lines, at most 120")

    def test_a_source_of_401_lines_is_caught(self):
        self.assert_passes({"host/base/a.cpp": "\n" * 400})
        self.assert_caught({"host/base/a.cpp": "\n" * 401}, "401 lines, at most 400")

    def test_a_function_of_71_lines_is_caught_with_its_name_and_line(self):
        self.assert_passes({"host/base/a.cpp": self.function(70)})
        self.assert_caught({"host/base/a.cpp": "\n" + self.function(71)},
                           "a.cpp:2", "function f: 71 lines, at most 70")

    def test_a_method_inside_namespace_and_class_is_measured(self):
        method = self.function(71, "  void go() const noexcept {")
        text = "namespace orderd {\nclass A {\n" + method + "};\n}\n"
        self.assert_caught({"host/base/a.h": text}, "function go: 71")

    def test_a_constructor_with_braced_members_is_measured(self):
        text = self.function(71, "A::A(int x) : a_{x}, b_{1, 2}, c_(x) {")
        self.assert_caught({"host/base/a.cpp": text}, "function A::A: 71")

    def test_a_test_case_is_named_by_its_sentence(self):
        text = self.function(71, 'TEST_CASE("orders are kept") {')
        self.assert_caught({"tests/unit/a.cpp": text}, "function orders are kept: 71")

    def test_braces_in_literals_and_comments_do_not_confuse(self):
        text = ('const char* s = "{{{";\n' "char c = '{';\n" "// {\n/* { */\n" 'auto r = R"sql({ "x)sql";\n'
                "int n = 1'000;\n")
        self.assertEqual(sources.functions(text + self.function(5)), [(7, "f", 5)])

    def test_a_table_is_not_a_function(self):
        text = "const Row rows[] = {\n" + '  {"a", f(1)},\n' * 100 + "};\n"
        self.assert_passes({"host/base/a.cpp": text})

    def test_a_line_of_111_columns_is_caught(self):
        self.assert_passes({"host/base/a.cpp": "//" + "x" * 108 + "\n"})
        self.assert_caught({"host/base/a.cpp": "//" + "x" * 109 + "\n"}, "111 columns, at most 110")


class Methods(Tree):
    def test_a_class_of_31_methods_is_caught(self):
        methods = "".join(f"  void m{i}(std::function<int(int)> f = {{}}) const;\n" for i in range(30))
        self.assert_passes({"host/base/a.h": f"class A {{\n{methods}  int x_ = f(1);\n}};\n"})
        self.assert_caught({"host/base/a.h": f"class A {{\n{methods}  void a();\n}};\n"}, "methods of A: 31")

    def test_two_in_one_declaration_are_two(self):
        self.assertEqual(sources.classes("struct A { void a(), b(int); int n = 0; using F = int(int); };"),
                         [(1, "A", 2)])

    def test_methods_of_a_nested_class_are_its_own(self):
        text = "class A {\n  struct B { int c(); int d() const { return e(); } };\n  ~A();\n};\n"
        self.assertEqual(sources.classes(text), [(1, "A", 1), (2, "B", 2)])


class Ratchet(Tree):
    LARGE = {"host/base/a.cpp file": (1, 450, 400)}

    def test_a_listed_size_passes_and_growth_is_caught(self):
        self.assert_passes({"host/base/a.cpp": "\n" * 450}, {"host/base/a.cpp file": 450})
        self.assert_caught({"host/base/a.cpp": "\n" * 451}, "grew from 450 to 451",
                           ratchet={"host/base/a.cpp file": 450})

    def test_update_lowers_and_drops_but_never_raises_or_adds(self):
        before = {"host/base/a.cpp file": 500, "host/gone.cpp file": 900}
        self.assertEqual(lint.updated(self.LARGE, before, False), {"host/base/a.cpp file": 450})
        smaller = {"host/base/a.cpp file": 410}
        self.assertEqual(lint.updated(self.LARGE, smaller, False), smaller)
        self.assertEqual(lint.updated(self.LARGE, {}, False), {})

    def test_accept_takes_the_present_sizes(self):
        self.assertEqual(lint.updated(self.LARGE, {}, True), {"host/base/a.cpp file": 450})

    def test_it_is_read_as_it_was_written(self):
        entries = {"tests/a.cpp function a sentence, with commas": 80, "host/b.h file": 130}
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, os.path.dirname(lint.RATCHET)))
            lint.write_ratchet(root, entries)
            self.assertEqual(lint.read_ratchet(root), entries)


class Words(Tree):
    def test_work_left_behind_is_caught(self):
        for word in ("TO" + "DO", "FIX" + "ME", "X" + "XX"):
            with self.subTest(word=word):
                self.assert_caught({"host/base/a.h": f"// {word}: later\n"}, word)
        self.assert_passes({"tests/env/a.sh": "mktemp -d orderd.XXXXXX\n"})

    def test_a_name_that_was_replaced_does_not_come_back(self):
        self.assert_caught({"host/saga/core/a.h": "class Turn {};\n"}, "the name 'Turn' is replaced")
        self.assert_passes({"host/saga/core/a.h": "// Turn by turn.\nclass Turning {};\n"})
        self.assert_passes({"host/base/a.h": "class Turn {};\n"})


if __name__ == "__main__":
    unittest.main()

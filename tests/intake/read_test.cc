#include "intake/result.h"

#include <fstream>

#include "tests/support/test.h"

namespace aclmend::intake {
namespace {

// Two vendors without a language: the first word says whose a file is, `twins` says each.
template <char name>
Recognition recognise(const Source& source) {
  const std::string_view text = source.text();
  if (text.starts_with(name)) return {90, "dump"};
  return {text.starts_with("twins") ? 50 : 0, "dump"};
}

Result<Reading> read(std::span<const SourcePtr> sources, const ReadOptions&) {
  Reading reading;
  const std::string_view text = sources.front()->text();
  if (text.find("nothing") != std::string_view::npos) return fail("no filter lines");
  if (const auto at = text.find("hopeless"); at != std::string_view::npos)
    reading.diagnostics.add(Severity::error, {static_cast<std::uint32_t>(at), 0, 0}, "cut off",
                            Effect::whole_file);
  if (text.find("contexts") != std::string_view::npos) {
    reading.devices.resize(2);
    reading.devices[0].scope = "admin";
    reading.devices[1].scope = "customer";
  } else {
    reading.devices.resize(1);
  }
  return reading;
}

const Vendor a_vendor{.id = "a-wall",
                      .title = "A Wall",
                      .recognise = recognise<'a'>,
                      .read = read,
                      .verify = nullptr,
                      .how_to_export = "dump a"};
const Vendor b_vendor{.id = "b-wall",
                      .title = "B Wall",
                      .recognise = recognise<'b'>,
                      .read = read,
                      .verify = nullptr,
                      .how_to_export = "dump b"};
constexpr const Vendor* two[] = {&a_vendor, &b_vendor};

Result<Intake> take(std::vector<std::string> texts, std::string_view vendor = {}) {
  std::vector<SourcePtr> sources;
  for (std::size_t i = 0; i < texts.size(); ++i)
    sources.push_back(std::make_shared<const Source>("f" + std::to_string(i), texts[i]));
  return read_sources(std::move(sources), vendor, {}, two);
}

Error refusal(std::vector<std::string> texts, std::string_view vendor = {}) {
  const auto taken = take(std::move(texts), vendor);
  REQUIRE_FALSE(taken.has_value());
  return taken.error();
}

}  // namespace

TEST_CASE("a file is given to the vendor that recognises it, or to the one that is named") {
  const auto recognised = take({"a rule\n"});
  REQUIRE(recognised);
  CHECK(recognised->vendor == &a_vendor);
  CHECK(recognised->form == "dump");
  const auto forced = take({"a rule\n"}, "b-wall");
  REQUIRE(forced);
  CHECK(forced->vendor == &b_vendor);
}

TEST_CASE("a file that nobody recognises is refused with what to export") {
  const Error error = refusal({"hello\n"});
  CHECK(to_string(error) == "f0: not recognised as an export of A Wall or B Wall");
  CHECK(error.hint ==
        "export it so:\nA Wall: dump a\nB Wall: dump b\nor name the vendor: --vendor a-wall or b-wall");
}

TEST_CASE("a file that two vendors recognise alike is refused with the choices") {
  const Error error = refusal({"twins\n"});
  CHECK(to_string(error) == "f0: may be an export of A Wall or of B Wall");
  CHECK(error.hint == "say which: --vendor a-wall or b-wall");
}

TEST_CASE("an unknown vendor names the nearest") {
  CHECK(refusal({"a\n"}, "a-wal").message ==
        "no vendor 'a-wal'; there are a-wall and b-wall (did you mean a-wall?)");
}

TEST_CASE("empty, binary and packed files say what they are") {
  CHECK(refusal({""}).message == "is empty");
  CHECK(refusal({" \r\n\n"}, "a-wall").message == "is empty");
  CHECK(refusal({std::string("x\0y", 3)}).message == "holds binary data, not the text of a configuration");
  CHECK(refusal({"PK\x03\x04..."}).message.starts_with("this is a ZIP archive"));
}

TEST_CASE("files of one device belong to one vendor") {
  CHECK(take({"a 1\n", "a 2\n"}).has_value());
  CHECK(to_string(refusal({"a 1\n", "b 2\n"})) ==
        "f1: is an export of B Wall, but f0 is one of A Wall: not the same device");
}

TEST_CASE("a reader that can judge nothing is an error with the file and how to export") {
  const Error nothing = refusal({"a nothing\n"});
  CHECK(to_string(nothing) == "f0: no filter lines");
  CHECK(nothing.hint.find("dump a") != std::string::npos);
  CHECK(to_string(refusal({"a\n hopeless\n"})) == "f0:2:2: cut off");
}

TEST_CASE("of several firewalls in an export one is chosen by its context") {
  const auto several = take({"a contexts\n"});
  REQUIRE(several);
  CHECK((*device_in(*several, "customer"))->scope == "customer");
  const auto open = device_in(*several, "");
  REQUIRE_FALSE(open);
  CHECK(to_string(open.error()) == "f0: holds 2 firewalls: which one?");
  CHECK(open.error().hint == "--context admin or customer");
  CHECK(device_in(*several, "custmer").error().message ==
        "has no context 'custmer'; there are admin and customer (did you mean customer?)");
  const auto one = take({"a\n"});
  CHECK((*device_in(*one, ""))->scope.empty());
  CHECK(device_in(*one, "x").error().message == "has no context 'x', it is one firewall");
}

TEST_CASE("a missing file and a directory are errors with their name") {
  CHECK(to_string(read_device({.files = {"/nowhere/x.cfg"}, .vendor = {}, .options = {}}).error()) ==
        "/nowhere/x.cfg: cannot be opened: No such file or directory");
  CHECK(read_device({.files = {"/tmp"}, .vendor = {}, .options = {}})
            .error()
            .message.starts_with("is a directory"));
  CHECK(read_device({}).error().message == "no file to read");
}

}  // namespace aclmend::intake

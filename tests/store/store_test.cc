// What is put is there again, whatever other processes, a kill or a full disk do meanwhile; what is no store
// of ours is refused and left as it is.
#include "store/store.h"

#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/digest.h"
#include "store/schema.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::store;

namespace {

Held list(std::string version, std::string body, std::string first_seen = "2026-03-01T10:00:00Z") {
  Held release;
  release.instance = "Worldwide";
  release.version = std::move(version);
  release.as_of = "2026-03-01";
  release.origin = "service";
  release.source = "https://example.com/endpoints/Worldwide";
  release.first_seen = std::move(first_seen);
  release.completeness = "whole";
  release.body = std::move(body);
  return release;
}

Held dated(std::string as_of, std::string body) {
  Held release = list("", std::move(body));
  release.as_of = std::move(as_of);
  return release;
}

Store opened(const std::string& path, Mode mode = Mode::read_write) {
  auto store = Store::open(path, mode);
  INFO((store ? "" : to_string(store.error())));
  REQUIRE(store);
  return std::move(*store);
}

std::string refusal(const std::string& path, Mode mode = Mode::read_write) {
  const auto store = Store::open(path, mode);
  return store ? "opened" : store.error().message;
}

template <class T>
std::string message(const Result<T>& result) {
  return result ? "done" : result.error().message;
}

std::string versions(const std::vector<Held>& releases) {
  std::string all;
  for (const Held& one : releases)
    all += (all.empty() ? "" : " ") + (one.version.empty() ? one.as_of : one.version);
  return all;
}

// SQLite without the store around it.
class Raw {
 public:
  explicit Raw(const std::string& path) { REQUIRE(sqlite3_open(path.c_str(), &database_) == SQLITE_OK); }
  ~Raw() { sqlite3_close(database_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  std::string run(const std::string& sql) {
    char* said = nullptr;
    sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, &said);
    const std::string words = said == nullptr ? "" : said;
    sqlite3_free(said);
    return words;
  }

 private:
  sqlite3* database_ = nullptr;
};

std::size_t mode_of(const std::string& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777U;
}

// Runs it in a process of its own, which ends with what it returns; no destructors of the tests run there.
template <class Work>
int in_a_process(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::string large(char letter, std::size_t size = 2'500'000) { return std::string(size, letter); }

}  // namespace

TEST_CASE("a store that is not there is empty to a reader, and is not made", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/state/store.sqlite";
  Store store = opened(path, Mode::read_only);
  CHECK(!store.exists());
  CHECK(store.releases("Worldwide").value().empty());
  CHECK(!store.newest("Worldwide").value());
  CHECK(!store.release("Worldwide", "2018063000").value());
  CHECK(store.instances().value().empty());
  CHECK(store.changes("Worldwide").value().empty());
  CHECK(!store.last_check("Worldwide").value());
  CHECK(!store.setting("client-request-id").value());
  CHECK(store.certificates("mail.example.com", 25).value().empty());
  CHECK(store.damages().value().empty());
  CHECK(message(store.put_release(list("2018063000", "[]"))) ==
        "the store was opened to be read, and is not there");
  CHECK(!std::filesystem::exists(folder.path() + "/state"));
}

TEST_CASE("a store is made for its owner alone", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/a/b/store.sqlite";
  const mode_t before = ::umask(0);
  {
    REQUIRE(opened(path).put_release(list("2018063000", "[1]")) == Put::added);
  }
  ::umask(before);
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(folder.path() + "/a") == 0700);
  CHECK(mode_of(folder.path() + "/a/b") == 0700);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path() + "/a/b"), {}) == 1);
  const Store reader = opened(path, Mode::read_only);
  CHECK(reader.newest("Worldwide").value()->body == "[1]");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path() + "/a/b"), {}) == 1);
}

TEST_CASE("what is put comes back, with its hash", "[store]") {
  const test::Folder folder;
  Store store = opened(folder.path() + "/s");
  const std::string body("[\0\xFF\x01]", 5);
  REQUIRE(store.put_release(list("2018063000", body)) == Put::added);
  Held expected = list("2018063000", body);
  expected.sha256 = sha256_hex(body);
  expected.bytes = 5;
  CHECK(store.release("Worldwide", "2018063000").value() == expected);
  CHECK(store.newest("Worldwide").value() == expected);
  expected.body.clear();
  CHECK(store.releases("Worldwide").value() == std::vector{expected});
  CHECK(store.releases("China").value().empty());
  CHECK(!store.release("China", "2018063000").value());
  CHECK(!store.release("Worldwide", "2018063001").value());
  CHECK(store.instances().value() == std::vector<std::string>{"Worldwide"});
}

TEST_CASE("releases are append-only: the same again is nothing, other bytes are kept beside", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  Store store = opened(path);
  CHECK(store.put_release(list("2018063000", "[1]", "2026-03-01T10:00:00Z")) == Put::added);
  CHECK(store.put_release(list("2018063000", "[1]", "2026-03-02T10:00:00Z")) == Put::there_already);
  CHECK(store.release("Worldwide", "2018063000").value()->first_seen == "2026-03-01T10:00:00Z");
  CHECK(store.put_release(list("2018063000", "[2]", "2026-03-03T10:00:00Z")) == Put::beside);
  CHECK(store.put_release(list("2018063000", "[1]", "2026-03-04T10:00:00Z")) == Put::there_already);
  CHECK(store.release("Worldwide", "2018063000").value()->body == "[2]");
  CHECK(store.newest("Worldwide").value()->body == "[2]");
  CHECK(store.releases("Worldwide").value().size() == 1);
  CHECK(store.releases("Worldwide").value()[0].first_seen == "2026-03-03T10:00:00Z");
  CHECK(store.every_release("Worldwide").value().size() == 2);
  // Seen earlier than what is held: kept, not read. At the same time: the one that came last is read.
  CHECK(store.put_release(list("2018063000", "[3]", "2020-01-01T00:00:00Z")) == Put::beside);
  CHECK(store.release("Worldwide", "2018063000").value()->body == "[2]");
  CHECK(store.put_release(list("2018063000", "[4]", "2026-03-03T10:00:00Z")) == Put::beside);
  CHECK(store.release("Worldwide", "2018063000").value()->body == "[4]");
  // Nobody else may either.
  Raw raw(path);
  CHECK(raw.run("UPDATE releases SET body = x'00'") == "releases are append-only");
  CHECK(raw.run("DELETE FROM releases") == "releases are append-only");
  CHECK(raw.run("DELETE FROM changes") == "");  // there is none
  CHECK(store.every_release("Worldwide").value().size() == 4);
}

TEST_CASE("releases stand in the order of their versions and dates", "[store]") {
  const test::Folder folder;
  Store store = opened(folder.path() + "/s");
  REQUIRE(store.put_release(dated("2025-12-01", "[3]")));
  REQUIRE(store.put_release(list("2025120100", "[2]")));
  REQUIRE(store.put_release(list("2018063000", "[1]")));
  REQUIRE(store.put_release(list("2025120200", "[4]")));
  CHECK(versions(store.releases("Worldwide").value()) == "2018063000 2025120100 2025-12-01 2025120200");
  CHECK(store.newest("Worldwide").value()->body == "[4]");
  CHECK(store.release("Worldwide", "2025-12-01").value()->body == "[3]");
}

TEST_CASE("what cannot be told apart or found again is not kept", "[store]") {
  const test::Folder folder;
  Store store = opened(folder.path() + "/s");
  const auto refused = [&](Held release) { return message(store.put_release(release)); };
  Held nameless = list("", "[]");
  nameless.as_of.clear();
  CHECK(refused(nameless) == "a list of Worldwide with neither version nor date is not kept");
  CHECK(refused(list("20180630", "[]")) ==
        "Worldwide 20180630: expected a version of ten digits, found '20180630'");
  CHECK(refused(dated("2018-6-30", "[]")) ==
        "Worldwide as of 2018-6-30: expected a date such as 2026-03-01, found '2018-6-30'");
  CHECK(refused(list("2018063000", "[]", "yesterday")) ==
        "Worldwide 2018063000: expected a time such as 2026-03-01T10:00:00Z, found 'yesterday'");
  CHECK(refused(list("2018063000", "")) == "Worldwide 2018063000: the answer is empty");
  CHECK(refused(list("2018063000", large('x', largest_body + 1))) ==
        "Worldwide 2018063000: the answer is larger than 16 MiB");
  // All or none.
  const std::vector<Held> half = {list("2018063000", "[1]"), list("20180630", "[2]")};
  CHECK(!store.put_releases(half));
  CHECK(store.releases("Worldwide").value().empty());
}

TEST_CASE("values are values: what looks like SQL is text", "[store]") {
  const test::Folder folder;
  Store store = opened(folder.path() + "/s");
  const std::string hostile = "'); DROP TABLE releases; --";
  Held release = list("2018063000", hostile);
  release.instance = hostile;
  release.source = hostile;
  REQUIRE(store.put_release(release) == Put::added);
  CHECK(store.newest(hostile).value()->source == hostile);
  CHECK(store.settle(hostile, hostile).value() == hostile);
  CHECK(store.instances().value() == std::vector{hostile});
}

TEST_CASE("changes are kept between two versions, append-only", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  Store store = opened(path);
  HeldChanges changes{.instance = "China",
                      .from = "2018063000",
                      .to = "2018073000",
                      .origin = "service",
                      .source = "url",
                      .first_seen = "2026-03-01T10:00:00Z",
                      .sha256 = {},
                      .body = "[]"};
  CHECK(store.put_changes(changes) == Put::added);
  CHECK(store.put_changes(changes) == Put::there_already);
  changes.sha256 = sha256_hex("[]");
  CHECK(store.changes("China").value() == std::vector{changes});
  changes.body = "[1]";
  CHECK(store.put_changes(changes) == Put::beside);
  CHECK(store.changes("China").value().size() == 2);
  changes.from = "now";
  CHECK(message(store.put_changes(changes)) ==
        "changes of China from now: expected a version of ten digits, found 'now'");
  Raw raw(path);
  CHECK(raw.run("DELETE FROM changes") == "changes are append-only");
  CHECK(raw.run("UPDATE changes SET body = x'00'") == "changes are append-only");
}

TEST_CASE("the last check is told, and the last that was answered, however many failed since", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  Store store = opened(path);
  const auto check = [&](std::string time, std::string outcome) {
    return store.record_check({"Worldwide", std::move(time), "2025120100", std::move(outcome), "why"});
  };
  REQUIRE(check("2026-03-01T10:00:00Z", "new"));
  REQUIRE(
      Raw(path)
          .run("WITH RECURSIVE t(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM t WHERE n < 59) INSERT INTO "
               "checks (instance, time, latest, outcome, detail) SELECT 'Worldwide', '2026-03-0' || d || "
               "'T10:00:' || n || 'Z', '', 'failed', '' FROM t, (SELECT 2 AS d UNION SELECT 3)")
          .empty());
  REQUIRE(check("2026-03-04T10:00:00Z", "refused"));
  CHECK(store.last_check("Worldwide").value() ==
        Check{"Worldwide", "2026-03-04T10:00:00Z", "2025120100", "refused", "why"});
  CHECK(store.last_answered("Worldwide").value()->time == "2026-03-01T10:00:00Z");
  CHECK(!store.last_check("China").value());
  CHECK(message(check("2026-03-02T10:00:00Z", "fine")) ==
        "expected same, new, refused or failed, found 'fine'");
  // A hundred, and the one that was answered.
  CHECK(Raw(path).run("CREATE TEMP TABLE t (n CHECK (n = 101)); INSERT INTO t SELECT count(*) FROM checks") ==
        "");
}

TEST_CASE("a setting that is settled stays, one that is set changes", "[store]") {
  const test::Folder folder;
  Store store = opened(folder.path() + "/s");
  CHECK(store.settle("client-request-id", "a").value() == "a");
  CHECK(store.settle("client-request-id", "b").value() == "a");
  REQUIRE(store.set("client-request-id", "c"));
  CHECK(store.setting("client-request-id").value() == "c");
  CHECK(store.settle("client-request-id", "d").value() == "c");
}

TEST_CASE("a certificate is known since when and until when it was shown", "[store]") {
  const test::Folder folder;
  Store store = opened(folder.path() + "/s");
  const std::string end = "2027-01-01T00:00:00Z";
  REQUIRE(store.saw_certificate(
      {"mx.example.com", 25, "aa", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", end}));
  REQUIRE(store.saw_certificate(
      {"mx.example.com", 25, "bb", "2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z", end}));
  REQUIRE(store.saw_certificate(
      {"mx.example.com", 25, "aa", "2026-03-03T10:00:00Z", "2026-03-03T10:00:00Z", end}));
  const auto seen = store.certificates("mx.example.com", 25).value();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0] ==
        Certificate{"mx.example.com", 25, "aa", "2026-03-01T10:00:00Z", "2026-03-03T10:00:00Z", end});
  CHECK(seen[1].sha256 == "bb");
  CHECK(store.certificates("mx.example.com", 587).value().empty());
}

TEST_CASE("where the store is by default", "[store]") {
  using Variables = std::map<std::string, std::string>;
  const auto path = [](Variables variables) {
    const auto found = default_path([&](const char* name) { return variables[name]; });
    return found ? *found : found.error().message;
  };
  CHECK(path({{"HOME", "/home/a"}}) == "/home/a/.local/state/aclmend/store.sqlite");
  CHECK(path({{"HOME", "/home/a"}, {"XDG_STATE_HOME", "/var/x"}}) == "/var/x/aclmend/store.sqlite");
  CHECK(path({{"HOME", "/home/a"}, {"XDG_STATE_HOME", "not/absolute"}}) ==
        "/home/a/.local/state/aclmend/store.sqlite");
  CHECK(path({{"HOME", "/home/a"}, {"STATE_DIRECTORY", "/var/lib/aclmend:/var/lib/b"}}) ==
        "/var/lib/aclmend/store.sqlite");
  CHECK(path({}) ==
        "where the store is cannot be told: neither XDG_STATE_HOME nor HOME is set; name it (--store)");
}

// ---- files that are no store, or not quite

TEST_CASE("what is no store is refused and left as it is", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  const auto refused = [&](const std::string& text) {
    folder.write("s", text);
    const std::string to_read = refusal(path, Mode::read_only), to_write = refusal(path);
    CHECK(to_read == to_write);
    CHECK(test::text_of(path) == text);
    return to_read;
  };
  CHECK(refused("interface GigabitEthernet0/0\n" + large('x', 2000)) ==
        "is not a store of aclmend, or is damaged in its first bytes");
  CHECK(refusal(folder.path()) == "the store is to be a file, and this is none");
  CHECK(refusal("") == "the store has no name (--store)");

  {
    REQUIRE(Raw(folder.path() + "/other").run("CREATE TABLE t (a)").empty());
  }
  CHECK(refused(test::text_of(folder.path() + "/other")) ==
        "is an SQLite file of another program, not a store of aclmend");

  {
    REQUIRE(opened(folder.path() + "/newer").put_release(list("2018063000", "[1]")));
  }
  {
    REQUIRE(Raw(folder.path() + "/newer").run("PRAGMA user_version = 99").empty());
  }
  CHECK(refused(test::text_of(folder.path() + "/newer")) ==
        "the store was made by a newer aclmend (its form is 99, this one knows up to 2)");
}

TEST_CASE("an empty file is a store that is not begun", "[store]") {
  const test::Folder folder;
  const std::string path = folder.write("s", "");
  CHECK(!opened(path, Mode::read_only).exists());
  CHECK(test::text_of(path).empty());
  CHECK(opened(path).put_release(list("2018063000", "[1]")) == Put::added);
}

TEST_CASE("a name that means something to SQLite is a file like any other", "[store]") {
  const test::Folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  {
    REQUIRE(opened(":memory:").put_release(list("2018063000", "[1]")));
  }
  const auto again = opened(":memory:", Mode::read_only).newest("Worldwide");
  {
    REQUIRE(opened("file:x?mode=memory").put_release(list("2018063000", "[1]")));
  }
  const bool is_file = std::filesystem::exists("file:x?mode=memory");
  std::filesystem::current_path(before);
  CHECK(again.value()->body == "[1]");
  CHECK(is_file);
}

TEST_CASE("an older store is brought up to date, for readers too, and loses nothing", "[store]") {
  for (const Mode mode : {Mode::read_write, Mode::read_only}) {
    const test::Folder folder;
    const std::string path = folder.path() + "/s";
    {
      Raw raw(path);
      REQUIRE(raw.run(std::string(schema_steps()[0])).empty());
      REQUIRE(raw.run("PRAGMA application_id = 1633905773; PRAGMA user_version = 1").empty());
      REQUIRE(raw.run("INSERT INTO releases VALUES (1, 'Worldwide', '2018063000', '2018063000', '2018-06-30',"
                      " 'file', 'a.json', '2026-03-01T10:00:00Z', 'whole', '" +
                      sha256_hex("[1]") + "', x'5b315d')")
                  .empty());
    }
    const Store store = opened(path, mode);
    CHECK(store.newest("Worldwide").value()->body == "[1]");
    CHECK(store.certificates("mx.example.com", 25).value().empty());
    CHECK(Raw(path).run("SELECT * FROM certificates").empty());
  }
}

TEST_CASE("an upgrade that fails in the middle leaves the older store", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  {
    Raw raw(path);
    REQUIRE(raw.run(std::string(schema_steps()[0])).empty());
    REQUIRE(raw.run("PRAGMA application_id = 1633905773; PRAGMA user_version = 1").empty());
    REQUIRE(raw.run("CREATE TABLE certificates (a)").empty());  // the last thing that the step makes
  }
  const std::string before = test::text_of(path);
  CHECK(refusal(path) == "the store: table certificates already exists");
  CHECK(test::text_of(path) == before);
}

TEST_CASE("damage is found where it is read, and nothing is deleted", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  {
    Store store = opened(path);
    REQUIRE(store.put_release(list("2018063000", large('a', 200'000))));
    REQUIRE(store.put_release(list("2018073000", large('b', 200'000))));
    CHECK(store.damages().value().empty());
  }
  const std::string sound = test::text_of(path);
  SECTION("one byte of a body") {
    std::string text = sound;
    text[text.find(large('b', 1000)) + 500] = 'c';
    folder.write("s", text);
    const Store store = opened(path, Mode::read_only);
    CHECK(store.release("Worldwide", "2018063000").value()->body == large('a', 200'000));
    CHECK(message(store.newest("Worldwide")) ==
          "the store is damaged: Worldwide 2018073000 has not its hash any more");
    CHECK(
        store.damages().value() ==
        std::vector<std::string>{"releases of Worldwide 2018073000: the bytes have not their hash any more"});
  }
  SECTION("cut off") {
    folder.write("s", sound.substr(0, sound.size() / 2));
    const auto store = Store::open(path, Mode::read_only);
    const std::string said = store ? message(store->newest("Worldwide")) : store.error().message;
    CHECK(said == "the store is damaged: database disk image is malformed");
  }
  SECTION("pages of zeros") {
    std::string text = sound;
    std::fill(text.begin() + 4096, text.begin() + 8192, '\0');
    folder.write("s", text);
    const auto store = Store::open(path, Mode::read_only);
    const std::string said = store ? message(store->newest("Worldwide")) : store.error().message;
    CHECK(said.starts_with("the store is damaged: "));
    CHECK(test::text_of(path) == text);
  }
}

// ---- others at the same time, and ends in the middle

TEST_CASE("processes that write at once all get their turn", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  constexpr int writers = 4, each = 10;
  std::vector<pid_t> children;
  for (int writer = 0; writer < writers; ++writer) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = Store::open(path, Mode::read_write);  // all of them find no file
      if (!store || !store->settle("client-request-id", std::to_string(writer))) ::_exit(1);
      for (int i = 0; i < each; ++i) {
        const std::string version = std::to_string(2018000000 + writer * 1000 + i);
        if (store->put_release(list(version, version)) != Put::added) ::_exit(2);
        if (!store->put_release(list("2020010100", "[the same]"))) ::_exit(3);
        if (store->newest("Worldwide").value()->body != "[the same]") ::_exit(4);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const Store store = opened(path, Mode::read_only);
  CHECK(store.releases("Worldwide").value().size() == writers * each + 1);
  CHECK(store.every_release("Worldwide").value().size() == writers * each + 1);
  CHECK(store.damages().value().empty());
}

TEST_CASE("who waits too long for another writer is told so, and readers are not held up", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  {
    REQUIRE(opened(path).put_release(list("2018063000", "[1]")));
  }
  Raw other(path);
  REQUIRE(other.run("BEGIN IMMEDIATE").empty());
  auto store = Store::open(path, Mode::read_write, std::chrono::milliseconds(20));
  REQUIRE(store);
  CHECK(message(store->put_release(list("2018073000", "[2]"))) ==
        "the store is in use: another process has been writing to it all the while");
  CHECK(store->newest("Worldwide").value()->body == "[1]");
  REQUIRE(other.run("COMMIT").empty());
  CHECK(store->put_release(list("2018073000", "[2]")) == Put::added);
}

TEST_CASE("a writer that is killed takes nothing with it", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  std::string held;
  for (int round = 0; round < 3; ++round) {
    int told[2];
    REQUIRE(::pipe(told) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = Store::open(path, Mode::read_write);
      for (int i = 0; store && i < 100; ++i) {
        const std::string version = std::to_string(2018000000 + round * 1000 + i);
        if (!store->put_release(list(version, version + large('x')))) ::_exit(1);
        if (::write(told[1], version.data(), version.size()) != 10) ::_exit(2);
      }
      ::_exit(3);
    }
    ::close(told[1]);
    // At some moment after the second is told: while the third is written, most often.
    std::string version(10, '\0');
    for (int i = 0; i < 2; ++i) {
      REQUIRE(::read(told[0], version.data(), 10) == 10);
      held += version + " ";
    }
    ::kill(child, SIGKILL);
    while (::read(told[0], version.data(), 10) == 10) held += version + " ";
    ::close(told[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));

    const Store store = opened(path, Mode::read_only);
    CHECK(store.damages().value().empty());
    const std::string all = versions(store.releases("Worldwide").value()) + " ";
    for (std::size_t at = 0; at < held.size(); at += 11)
      CHECK(all.find(held.substr(at, 11)) != std::string::npos);
  }
}

TEST_CASE("what a killed writer left half written is undone by the next, also by a reader", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  {
    REQUIRE(opened(path).put_release(list("2018063000", "[1]")));
  }
  const int end = in_a_process([&] {
    sqlite3* database = nullptr;
    sqlite3_open(path.c_str(), &database);
    // A small cache makes SQLite write into the file before the end of the transaction.
    sqlite3_exec(
        database,
        "PRAGMA cache_size = 2; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;"
        "INSERT INTO releases SELECT 2, 'Worldwide', '2019010100', '2019010100', '', '', '', '', '', '', "
        "zeroblob(3000000);"
        "INSERT INTO settings VALUES ('half', 'done')",
        nullptr, nullptr, nullptr);
    ::raise(SIGKILL);
    return 0;
  });
  REQUIRE(end == -SIGKILL);
  REQUIRE(std::filesystem::file_size(path) > 1'000'000);
  REQUIRE(std::filesystem::exists(path + "-journal"));
  const Store store = opened(path, Mode::read_only);
  CHECK(versions(store.releases("Worldwide").value()) == "2018063000");
  CHECK(!store.setting("half").value());
  CHECK(store.damages().value().empty());
  CHECK(!std::filesystem::exists(path + "-journal"));
}

TEST_CASE("a file that may not grow any more keeps what it holds", "[store]") {
  const test::Folder folder;
  const std::string path = folder.path() + "/s";
  {
    REQUIRE(opened(path).put_release(list("2018063000", "[1]")));
  }
  const int end = in_a_process([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{std::size_t{1} << 20, std::size_t{1} << 20};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto store = Store::open(path, Mode::read_write);
    if (!store) return 1;
    // All or none, also of a batch.
    const std::vector<Held> batch = {list("2018070100", "[small]"),
                                     list("2018073000", large('x', 4'000'000))};
    if (store->put_releases(batch)) return 5;
    // The one is written as it comes, the other only at the end of its transaction.
    for (const std::size_t size : {std::size_t{4'000'000}, std::size_t{1'200'000}}) {
      const auto put = store->put_release(list("2018073000", large('x', size)));
      if (put || !put.error().message.starts_with("the store cannot be read or written") ||
          !put.error().message.ends_with("; nothing was changed"))
        return 2;
    }
    if (store->newest("Worldwide").value()->body != "[1]") return 3;
    return store->put_release(list("2018083000", "[2]")) == Put::added ? 0 : 4;
  });
  CHECK(end == 0);
  const Store store = opened(path, Mode::read_only);
  CHECK(versions(store.releases("Worldwide").value()) == "2018063000 2018083000");
  CHECK(store.damages().value().empty());
}

TEST_CASE("a full disk loses nothing that was there", "[store]") {
  const test::Folder folder;
  // A disk of 1 MiB, in name spaces of its own; where none may be made the test says so.
  const int end = in_a_process([&] {
    if (::geteuid() != 0 && ::unshare(CLONE_NEWUSER) != 0) return 77;
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0)
      return 77;
    const std::string path = folder.path() + "/s";
    auto store = Store::open(path, Mode::read_write);
    if (!store || store->put_release(list("2018063000", large('a', 200'000))) != Put::added) return 1;
    const auto put = store->put_release(list("2018073000", large('b')));
    if (put || put.error().message !=
                   "the disk is full; nothing was changed, and what the store held is still there")
      return 2;
    const auto again = Store::open(path, Mode::read_only);
    if (!again || again->newest("Worldwide").value()->body != large('a', 200'000)) return 3;
    if (!again->damages().value().empty()) return 4;
    return store->put_release(list("2018083000", "[2]")) == Put::added ? 0 : 5;
  });
  if (end == 77) WARN("no disk could be made to fill: name spaces are not allowed here");
  else CHECK(end == 0);
}

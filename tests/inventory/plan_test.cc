#include "inventory/plan.h"

#include "inventory/read.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;

namespace {

// A repository of configurations with an inventory whose text a test gives.
class Repository {
 public:
  explicit Repository(std::initializer_list<const char*> files) {
    for (const char* file : files) folder_.write(file, "x");
  }

  Plan plan(const std::string& text) const {
    const auto inventory = read_inventory(Source(folder_.path() + "/aclmend.yaml", "version: 1\n" + text));
    if (!inventory) FAIL(to_string(inventory.error().at(0)));
    return aclmend::inventory::plan(*inventory);
  }
  std::string path(const std::string& file) const { return folder_.path() + "/" + file; }

 private:
  test::Folder folder_;
};

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> all;
  for (const PlannedDevice& device : plan.devices) all.push_back(device.name);
  return all;
}

// "6 error: message", one a remark.
std::vector<std::string> remarks(const Plan& plan) {
  std::vector<std::string> all;
  for (const Remark& remark : plan.remarks)
    all.push_back(std::to_string(remark.place.line) + " " + std::string(to_string(remark.severity)) + ": " +
                  remark.message);
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("each file of a glob is a device, asked only if it knows the mail host", "[inventory][plan]") {
  const Repository repository{"edge.cfg", "branches/b.cfg", "branches/a/a.cfg"};
  const Plan plan = repository.plan(
      "mail: { hosts: [203.0.113.25] }\ndevices:\n  - { name: edge, file: edge.cfg, to: 10.1.1.25 }\n"
      "  - { file: \"branches/**/*.cfg\", ingress: outside }\n");
  CHECK(names(plan) == Texts{"edge", "branches/a/a.cfg", "branches/b.cfg"});
  CHECK(remarks(plan).empty());

  const PlannedDevice& edge = plan.devices[0];
  CHECK_FALSE(edge.came_by_glob);
  CHECK(edge.asked == Asked::always);
  CHECK(edge.files == Texts{repository.path("edge.cfg")});
  CHECK(to_string(edge.question.to.at(0)) == "10.1.1.25");
  const PlannedDevice& branch = plan.devices[1];
  CHECK(branch.came_by_glob);
  CHECK(branch.asked == Asked::if_it_knows_the_mail_host);
  CHECK(branch.files == Texts{repository.path("branches/a/a.cfg")});
  CHECK(branch.question.ingress == "outside");
  CHECK(to_string(branch.question.to.at(0)) == "203.0.113.25");
  CHECK(branch.place.line == 5);
}

TEST_CASE("a device of a glob is asked when its entry names flows or a path names it", "[inventory][plan]") {
  const Repository repository{"a/a.cfg", "b/b.cfg", "b/c.cfg"};
  const Plan plan = repository.plan(
      "devices:\n  - { file: \"a/*.cfg\", flows: [eop-outbound-smtp] }\n  - { file: \"b/*.cfg\" }\n"
      "paths: [{ name: p, through: [b/b.cfg] }]\n");
  REQUIRE(plan.devices.size() == 3);
  CHECK(plan.devices[0].asked == Asked::always);
  CHECK(plan.devices[1].asked == Asked::always);
  CHECK(plan.devices[2].asked == Asked::if_it_knows_the_mail_host);
}

TEST_CASE("the entry that names a file holds against any glob", "[inventory][plan]") {
  const Repository repository{"configs/edge.cfg", "configs/other.cfg", "v4.rules", "v6.rules", "x.rules"};
  const Plan plan = repository.plan(
      "devices:\n  - { file: \"configs/*.cfg\" }\n  - { file: \"*.rules\" }\n"
      "  - { name: edge, file: ./configs/edge.cfg }\n  - { name: mail01, files: [v4.rules, v6.rules] }\n");
  CHECK(names(plan) == Texts{"configs/other.cfg", "x.rules", "edge", "mail01"});
  CHECK(remarks(plan).empty());
  CHECK(plan.devices[3].files == Texts{repository.path("v4.rules"), repository.path("v6.rules")});
}

TEST_CASE("two entries that name one file are an error, unless they ask other parts of it",
          "[inventory][plan]") {
  const Repository repository{"a.xml"};
  CHECK(
      remarks(repository.plan("devices:\n  - { name: a, file: a.xml }\n  - { name: b, file: ./a.xml }\n")) ==
      Texts{"4 error: names 'a.xml', which the device on line 3 names too"});
  CHECK(remarks(repository.plan("devices:\n  - { name: a, file: a.xml, vsys: vsys1 }\n"
                                "  - { name: b, file: a.xml, vsys: vsys2 }\n"))
            .empty());
  CHECK(remarks(repository.plan("devices:\n  - { name: a, file: a.xml, vsys: vsys1 }\n"
                                "  - { file: a.xml, each: vsys }\n"))
            .size() == 1);
  CHECK(remarks(repository.plan("devices:\n  - { files: [a.xml, a.xml] }\n")) ==
        Texts{"3 error: names 'a.xml' twice"});
}

TEST_CASE("a glob that matches nothing is an error, the rest of the plan holds", "[inventory][plan]") {
  const Repository repository{"edge.cfg"};
  const Plan plan = repository.plan("devices:\n  - { file: \"branches/*.cfg\" }\n  - { file: edge.cfg }\n");
  CHECK(names(plan) == Texts{"edge.cfg"});
  CHECK(remarks(plan) == Texts{"3 error: no file matches 'branches/*.cfg'"});
}

TEST_CASE("files that two globs find belong to the first, and the second hears of it", "[inventory][plan]") {
  const Repository repository{"c/a.cfg", "c/b.cfg"};
  const Plan plan = repository.plan("devices:\n  - { file: \"c/a*\" }\n  - { file: \"c/*\", ingress: x }\n");
  CHECK(names(plan) == Texts{"c/a.cfg", "c/b.cfg"});
  CHECK(plan.devices[0].question.ingress.empty());
  CHECK(remarks(plan) ==
        Texts{"4 warning: 1 of its files came by line 3 already, which holds for them: 'c/a.cfg'"});
}

TEST_CASE("what is skipped is kept with its reason", "[inventory][plan]") {
  const Repository repository{"c/fw.cfg", "c/switches/s1.cfg", "c/switches/old/s2.cfg"};
  const Plan plan = repository.plan(
      "devices:\n  - { file: \"c/**/*.cfg\" }\nskip: [{ files: \"c/switches/**\", reason: no firewalls }]\n");
  CHECK(names(plan) == Texts{"c/fw.cfg"});
  REQUIRE(plan.skipped.size() == 2);
  CHECK(plan.skipped[0].file == repository.path("c/switches/old/s2.cfg"));
  CHECK(plan.skipped[0].reason == "no firewalls");
  CHECK(remarks(plan).empty());
  const Plan both =
      repository.plan("devices:\n  - { file: c/fw.cfg }\nskip: [{ files: \"c/*\", reason: none of them }]\n");
  CHECK(names(both) == Texts{"c/fw.cfg"});
  CHECK(remarks(both) == Texts{"3 error: names 'c/fw.cfg', which line 4 skips: it is asked"});
}

TEST_CASE("sets and assumptions go to their device, or to a part of its export", "[inventory][plan]") {
  const Repository repository{"a.cfg", "d/b.cfg"};
  const Plan plan = repository.plan(
      "devices:\n  - { name: edge, file: a.cfg }\n  - { file: \"d/*\" }\n"
      "sets: [{ device: edge, name: L, file: l.txt }, { device: d/b.cfg, file: s.ipset }]\n"
      "assume:\n  - { device: edge/admin, condition: time-range T, holds: false, reason: r }\n"
      "  - { device: edgy, condition: time-range T, holds: true, reason: r }\n");
  REQUIRE(plan.devices.size() == 2);
  REQUIRE(plan.devices[0].sets.size() == 1);
  CHECK(plan.devices[0].sets[0].name == "L");
  CHECK(plan.devices[0].sets[0].path == repository.path("l.txt"));
  REQUIRE(plan.devices[0].assumptions.size() == 1);
  CHECK(plan.devices[0].assumptions[0].scope == "admin");
  CHECK_FALSE(plan.devices[0].assumptions[0].holds);
  REQUIRE(plan.devices[1].sets.size() == 1);
  CHECK(remarks(plan) == Texts{"8 error: there is no device 'edgy': did you mean 'edge'?"});
}

TEST_CASE("a device that is named as another's file is refused", "[inventory][plan]") {
  const Repository repository{"a.cfg", "b.cfg"};
  const Plan plan = repository.plan("devices:\n  - { name: b.cfg, file: a.cfg }\n  - { file: b.cfg }\n");
  CHECK(remarks(plan) == Texts{"4 error: another device is named 'b.cfg' already"});
}

// From names to mail hosts, DNSSEC, MTA-STS and DNS's own bytes: without any server.
#include "probe/targets.h"

#include <map>

#include "net/certificate.h"
#include "probe/dane.h"
#include "probe/sts.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::probe;
using net::DnsAnswer;
using net::Record;
using net::RecordType;

namespace {

Record mx(std::uint16_t preference, std::string target) {
  Record record;
  record.type = RecordType::mx;
  record.preference = preference;
  record.target = std::move(target);
  return record;
}

Record address(std::string_view text) {
  Record record;
  record.address = *parse_address(text);
  record.type = record.address.is_v4() ? RecordType::a : RecordType::aaaa;
  return record;
}

Record txt(std::string text) {
  Record record;
  record.type = RecordType::txt;
  record.text = std::move(text);
  return record;
}

// A zone as a table; what is not in it has no data.
struct Zone {
  std::map<std::pair<std::string, RecordType>, DnsAnswer> answers;

  void add(const std::string& name, RecordType type, std::vector<Record> records) {
    DnsAnswer answer;
    answer.status = DnsAnswer::Status::answered;
    answer.records = std::move(records);
    answers[{name, type}] = std::move(answer);
  }
  void fail(const std::string& name, RecordType type, DnsAnswer::Status status) {
    answers[{name, type}].status = status;
    answers[{name, type}].text = "it failed";
  }
  Ask ask() const {
    return [this](std::string_view name, RecordType type) {
      const auto found = answers.find({std::string(name), type});
      DnsAnswer none;
      none.status = DnsAnswer::Status::no_data;
      return found == answers.end() ? none : found->second;
    };
  }
};

std::string names_of(const std::vector<MailHost>& hosts) {
  std::string text;
  for (const MailHost& host : hosts) text += host.result.name + " ";
  return text;
}

}  // namespace

TEST_CASE("MX hosts come in the order of their preference", "[probe]") {
  Zone zone;
  zone.add("lab.test", RecordType::mx, {mx(20, "b.lab.test"), mx(10, "z.lab.test"), mx(10, "a.lab.test")});
  zone.add("a.lab.test", RecordType::a, {address("192.0.2.1"), address("192.0.2.1")});
  const auto hosts = mail_hosts("lab.test", Word::domain, zone.ask());
  CHECK(names_of(hosts) == "a.lab.test z.lab.test b.lab.test ");
  CHECK(hosts[0].addresses.size() == 1);
  CHECK_FALSE(hosts[0].is_named);
  CHECK(hosts[1].result.steps.back().text == "it has neither an A nor an AAAA record");
}

TEST_CASE("a null MX beside others is told and left out", "[probe]") {
  Zone zone;
  zone.add("lab.test", RecordType::mx, {mx(0, ""), mx(10, "a.lab.test")});
  const auto hosts = mail_hosts("lab.test", Word::domain, zone.ask());
  CHECK(names_of(hosts) == "a.lab.test ");
  CHECK(hosts[0].result.remarks.front().starts_with("a null MX stands beside others"));
}

TEST_CASE("a resolver that fails for one family leaves the host open", "[probe]") {
  Zone zone;
  zone.add("lab.test", RecordType::a, {address("192.0.2.1")});
  zone.fail("lab.test", RecordType::aaaa, DnsAnswer::Status::timed_out);
  const auto hosts = mail_hosts("lab.test", Word::domain, zone.ask());
  CHECK(hosts[0].is_open);
  CHECK(hosts[0].addresses.size() == 1);  // and is asked all the same
  CHECK(hosts[0].result.steps.back().status == Status::unknown);
}

TEST_CASE("hosts and addresses are bounded", "[probe]") {
  Zone zone;
  std::vector<Record> many, addresses;
  for (int i = 0; i < 100; ++i) {
    many.push_back(mx(10, "h" + std::to_string(100 + i)));
    addresses.push_back(address("192.0.2." + std::to_string(i)));
  }
  zone.add("lab.test", RecordType::mx, many);
  zone.add("h100", RecordType::a, addresses);
  const auto hosts = mail_hosts("lab.test", Word::domain, zone.ask());
  CHECK(hosts.size() == most_mail_hosts);
  CHECK(hosts[0].addresses.size() == most_addresses);
  CHECK(hosts[0].result.remarks.size() == 2);
}

TEST_CASE("private addresses are known in both families, mapped ones too", "[probe]") {
  for (const char* text : {"10.1.2.3", "127.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.169.254",
                           "100.64.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0", "::"})
    CHECK(is_private(*parse_address(text)));
  for (const char* text :
       {"192.0.2.1", "203.0.113.25", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:192.0.2.1"})
    CHECK_FALSE(is_private(*parse_address(text)));
}

TEST_CASE("TLSA is judged by what a resolver on this machine vouches for", "[probe]") {
  DaneQuestion question;
  question.host = "mail.lab.test";
  question.tlsa.status = DnsAnswer::Status::answered;
  Record tlsa;
  tlsa.type = RecordType::tlsa;
  tlsa.usage = 3;
  tlsa.selector = 1;
  tlsa.matching = 1;
  tlsa.data = std::string(32, '\xab');
  question.tlsa.records = {tlsa};
  question.tlsa.is_authenticated = question.is_secure = true;
  net::Certificate certificate;
  certificate.key_sha256 = std::string(64, 'X');
  CHECK(dane_step(question, std::span(&certificate, 1)).status == Status::unknown);
  question.is_trusted = true;
  CHECK(dane_step(question, std::span(&certificate, 1)).status == Status::fail);
  CHECK(dane_step(question, {}).status == Status::skipped);
  certificate.key_sha256 = "";
  for (int i = 0; i < 32; ++i) certificate.key_sha256 += "AB";
  CHECK(dane_step(question, std::span(&certificate, 1)).status == Status::ok);
  question.tlsa.records[0].usage = 1;  // PKIX: not for SMTP
  CHECK(dane_step(question, std::span(&certificate, 1)).text.starts_with("none of the TLSA records"));
  question.tlsa.status = DnsAnswer::Status::failed;
  CHECK(dane_step(question, std::span(&certificate, 1)).status == Status::fail);
}

TEST_CASE("an MTA-STS policy is read to the letter", "[probe]") {
  const auto policy = read_sts_policy(
      "version: STSv1\r\nmode: enforce\r\nmx: mail.lab.test\r\nmx: *.Backup.test\r\nmax_age: 86400\r\n");
  REQUIRE(policy);
  CHECK(policy->mode == StsPolicy::Mode::enforce);
  CHECK(allows(*policy, "MAIL.lab.test"));
  CHECK(allows(*policy, "a.backup.test"));
  CHECK_FALSE(allows(*policy, "a.b.backup.test"));
  CHECK_FALSE(allows(*policy, "backup.test"));
  const auto why = [](std::string_view text) { return to_string(read_sts_policy(text).error()); };
  CHECK(why("version: STSv2\n") == "mta-sts.txt:1: expected version: STSv1, found 'STSv2'");
  CHECK(why("version: STSv1\nmode: soft\n") ==
        "mta-sts.txt:2: expected mode: enforce, testing or none, found 'soft'");
  CHECK(why("<html>\n") == "mta-sts.txt:1: expected 'key: value', found '<html>'");
  CHECK(why("version: STSv1\nmode: none\nmax_age: 99999999999\n").find("max_age: 0 to") != std::string::npos);
  CHECK(why("version: STSv1\nmode: enforce\nmax_age: 1\n") == "mta-sts.txt: the policy names no mx");
  CHECK(why(std::string(70'000, 'a')) == "mta-sts.txt: the policy is larger than 64 KiB");
}

TEST_CASE("MTA-STS: record, policy and mail hosts are brought together", "[probe]") {
  Zone zone;
  zone.add("_mta-sts.lab.test", RecordType::txt, {txt("v=spf1 -all"), txt("v=STSv1; id=20160831085700Z;")});
  std::string url;
  Fetched fetched{200, "text/plain; charset=utf-8",
                  "version: STSv1\nmode: enforce\nmx: mail.lab.test\nmax_age: 60\n", ""};
  const Fetch fetch = [&](const std::string& asked) {
    url = asked;
    return fetched;
  };
  const auto look = [&] { return look_up_sts("lab.test", zone.ask(), fetch); };
  CHECK(sts_step(look(), "mail.lab.test").status == Status::ok);
  CHECK(url == "https://mta-sts.lab.test/.well-known/mta-sts.txt");
  CHECK(sts_step(look(), "other.lab.test").status == Status::fail);
  fetched.body = "version: STSv1\nmode: testing\nmx: mail.lab.test\nmax_age: 60\n";
  CHECK(sts_step(look(), "other.lab.test").status == Status::unknown);
  fetched.content_type = "text/html";
  CHECK(look().step.text.find("text/plain is expected") != std::string::npos);
  fetched.status = 404;
  CHECK(look().step.text.find("HTTP 404") != std::string::npos);
  zone.add("_mta-sts.lab.test", RecordType::txt, {txt("v=STSv1; id=1;"), txt("v=STSv1; id=2;")});
  CHECK(look().step.text.starts_with("several MTA-STS records"));
  zone.add("_mta-sts.lab.test", RecordType::txt, {txt("v=STSv1; id=;")});
  CHECK(look().step.text.find("without a valid id") != std::string::npos);
}

TEST_CASE("a DNS message that lies about its lengths is refused, never read beyond", "[probe][dns]") {
  using namespace std::string_literals;
  // One question (lab.test MX), one answer whose name points at the question.
  const std::string head = "\x12\x34\x81\xa0\0\x01\0\x01\0\0\0\0"s + "\3lab\4test\0\0\x0f\0\x01"s;
  const std::string answer = "\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x08\0\x0a\x04mail\xc0\x0c"s;
  const std::string whole = head + "\xc0\x0c\0\x0f\0\x01\0\0\0\x3c\0\x09\0\x0a\x04mail\xc0\x0c"s;
  const auto good = net::read_dns_message(whole, "lab.test", RecordType::mx);
  REQUIRE(good.records.size() == 1);
  CHECK(good.records[0].target == "mail.lab.test");
  CHECK(good.is_authenticated);
  CHECK(net::read_dns_message(whole, "other.test", RecordType::mx).status == DnsAnswer::Status::no_data);
  CHECK(net::read_dns_message(head + answer, "lab.test", RecordType::mx)
            .records.empty());  // the name ends beyond
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK(net::read_dns_message(whole.substr(0, length), "lab.test", RecordType::mx).records.empty());
  const std::string loop = "\x12\x34\x81\x80\0\x01\0\0\0\0\0\0\xc0\x0c\0\x0f\0\x01"s;
  CHECK(net::read_dns_message(loop, "lab.test", RecordType::mx).status == DnsAnswer::Status::failed);
}

// The lexer against what iptables-restore 1.8.9 and ipset 7.17 were measured to do with the same lines.
#include "vendors/iptables/words.h"

#include "tests/support/test.h"

namespace aclmend::iptables {
namespace {

std::string shown(std::string_view line, Grammar grammar = Grammar::restore) {
  std::deque<std::string> arena;
  Splitter splitter(grammar, arena);
  const auto words = splitter.split(line);
  if (!words) return std::to_string(words.error().begin) + ": " + words.error().message;
  std::string text;
  for (const Word& word : *words) {
    text += "[";
    text += word.text;
    text += word.is_quoted ? "]q" : "]";
  }
  return text;
}

// The same, one character at a time, as the C source of both programs goes about it.
struct Slow {
  std::vector<std::string> words;
  bool is_open = false;
};
Slow slow_split(std::string_view line, Grammar grammar) {
  Slow result;
  std::string word;
  bool has_word = false;
  const auto finish = [&] {
    if (has_word && !(word.empty() && grammar == Grammar::ipset)) result.words.push_back(word);
    word.clear();
    has_word = false;
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n' || (c == '\r' && grammar == Grammar::ipset);
    if (c == '"') {
      result.is_open = !result.is_open;
      has_word = true;
      if (!result.is_open && grammar == Grammar::restore) finish();
    } else if (c == '\\' && result.is_open && grammar == Grammar::restore) {
      if (++i < line.size()) word += line[i];
    } else if (blank && !result.is_open) {
      finish();
    } else {
      word += c;
      has_word = true;
    }
  }
  finish();
  return result;
}

}  // namespace

TEST_CASE("words of a rule are cut as iptables-restore cuts them", "[iptables][words]") {
  CHECK(shown("-A INPUT -j ACCEPT") == "[-A][INPUT][-j][ACCEPT]");
  CHECK(shown(" \t-A\tINPUT  -j ACCEPT ") == "[-A][INPUT][-j][ACCEPT]");
  CHECK(shown("") == "");
  CHECK(shown(R"(--comment "two words" -j X)") == "[--comment][two words]q[-j][X]");
  CHECK(shown(R"(--comment "")") == "[--comment][]q");
  CHECK(shown(R"("it\'s \"q\" \\ back")") == R"([it's "q" \ back]q)");
  CHECK(shown(R"(a\ b)") == R"([a\][b])");
  CHECK(shown(R"(a"b c")") == "[ab c]q");
  CHECK(shown(R"("a"b)") == "[a]q[b]");
  CHECK(shown(R"(x"")") == "[x]q");
  CHECK(shown(R"("x""y")") == "[x]q[y]q");
  CHECK(shown(R"('two words')") == "['two][words']");
  CHECK(shown(R"(--comment "-j ACCEPT" # -x)") == "[--comment][-j ACCEPT]q[#][-x]");
  CHECK(shown("ACCEPT\r") == "[ACCEPT\r]");
}

TEST_CASE("words of a set file are cut as ipset restore cuts them", "[iptables][words]") {
  const auto ipset = [](std::string_view line) { return shown(line, Grammar::ipset); };
  CHECK(ipset("add s 1.2.3.4\r") == "[add][s][1.2.3.4]");
  CHECK(ipset(R"(comment "a b")") == "[comment][a b]q");
  CHECK(ipset(R"(comment a"b c"d)") == "[comment][ab cd]q");
  CHECK(ipset(R"(comment "a\"b)") == R"([comment][a\b]q)");
  CHECK(ipset(R"(comment "a\")") == R"([comment][a\]q)");
  CHECK(ipset(R"(comment "")") == "[comment]");
}

TEST_CASE("lines that no program would load fail with their place", "[iptables][words]") {
  CHECK(shown(R"(-m comment --comment "open -j ACCEPT)") ==
        R"(21: expected a closing '"' before the end of the line)");
  CHECK(shown(R"(x "a\")") == R"(2: expected a closing '"' before the end of the line)");
  CHECK(shown(std::string_view("-A IN\0PUT", 9)) ==
        "5: a NUL byte ends the line for the program that loads it");
  CHECK(shown(std::string(1023, 'x')).size() == 1025);
  CHECK(shown("-A " + std::string(1024, 'x')) == "3: a word of more than 1023 bytes is refused");
  CHECK(shown("-A \"\\" + std::string(1024, 'x') + "\"") == "3: a word of more than 1023 bytes is refused");
  std::string many;
  for (int i = 0; i < 255; ++i) many += "x ";
  CHECK(shown(many).size() == 3 * 255);
  CHECK(shown(many + "y") == "510: more than 255 words in a line");
}

TEST_CASE("only words with something to take out of their middle leave the line", "[iptables][words]") {
  const std::string line = R"(add s "a b" x"y" plain)";
  std::deque<std::string> arena;
  Splitter splitter(Grammar::restore, arena);
  const auto words = splitter.split(line);
  REQUIRE(words.has_value());
  REQUIRE(words->size() == 5);
  CHECK(arena.size() == 1);
  for (const Word& word : *words) {
    INFO(word.text);
    CHECK(word.end <= line.size());
    if (word.text == "xy") CHECK(line.substr(word.begin, word.end - word.begin) == "x\"y\"");
    else CHECK((word.text.data() >= line.data() && word.text.data() < line.data() + line.size()));
  }
}

TEST_CASE("the lexer and its slow twin agree on every short line", "[iptables][words]") {
  constexpr std::string_view letters = "ab \t\"\\'\r";
  constexpr std::size_t longest = 6;
  std::size_t lines = 0;
  for (std::size_t length = 0; length <= longest; ++length) {
    std::vector<std::size_t> at(length, 0);
    while (true) {
      std::string line;
      for (const std::size_t i : at) line += letters[i];
      ++lines;
      for (const Grammar grammar : {Grammar::restore, Grammar::ipset}) {
        const Slow slow = slow_split(line, grammar);
        std::deque<std::string> arena;
        Splitter splitter(grammar, arena);
        const auto words = splitter.split(line);
        bool agree = words.has_value() == !slow.is_open;
        if (words && agree) {
          agree = words->size() == slow.words.size();
          for (std::size_t i = 0; agree && i < words->size(); ++i) agree = (*words)[i].text == slow.words[i];
        }
        if (!agree) FAIL("differ on: " << line);
      }
      std::size_t place = 0;
      while (place < length && ++at[place] == letters.size()) at[place++] = 0;
      if (place == length) break;
    }
  }
  CHECK(lines == 299593);  // 1 + 8 + … + 8^6
}

TEST_CASE("numbers, ports and protocols are read with strtoul's bases and no overflow", "[iptables][words]") {
  CHECK(parse_number("25") == 25u);
  CHECK(parse_number("0x19") == 25u);
  CHECK(parse_number("00025") == 21u);
  CHECK(parse_number("0") == 0u);
  CHECK(parse_number("4294967295") == 4294967295u);
  for (const std::string_view bad : {"", "0x", "4294967296", "0x100000000", "-1", "+1", " 1", "08", "1x"})
    CHECK_FALSE(parse_number(bad).has_value());

  CHECK(parse_port("smtp") == 25);
  CHECK(parse_port("submission") == 587);
  for (const std::string_view name : {"smtps", "submissions", "urd", "ssmtp"}) CHECK(parse_port(name) == 465);
  CHECK(parse_port("65535") == 65535);
  for (const std::string_view bad : {"SMTP", "65536", "", "smtp ", "-"})
    CHECK_FALSE(parse_port(bad).has_value());

  CHECK(parse_port_range("24:26") == model::PortRange{24, 26});
  CHECK(parse_port_range(":1023") == model::PortRange{0, 1023});
  CHECK(parse_port_range("1024:") == model::PortRange{1024, 65535});
  CHECK(parse_port_range(":") == model::PortRange{0, 65535});
  CHECK(parse_port_range("smtp") == model::PortRange{25, 25});
  CHECK(parse_port_range("26:24").error() == "a range of ports from 26 down to 24 is refused");
  CHECK(parse_port_range("25:x").error() == "expected a port (0 to 65535) or a service name, found 'x'");
  CHECK_FALSE(parse_port_range("").has_value());
  CHECK_FALSE(parse_port_range("1:2:3").has_value());

  CHECK(parse_protocol("tcp") == 6);
  CHECK(parse_protocol("IPv6-ICMP") == 58);
  CHECK(parse_protocol("all") == 0);
  CHECK(parse_protocol("0x6") == 6);
  CHECK(parse_protocol("47") == 47);
  for (const std::string_view bad : {"256", "", "tcpx"}) CHECK_FALSE(parse_protocol(bad).has_value());
  CHECK(protocol_word(58) == "ipv6-icmp");
  CHECK(protocol_word(50) == "esp");
  CHECK_FALSE(protocol_word(200).has_value());
}

TEST_CASE("addresses keep masks with holes and refuse what would be guessed", "[iptables][words]") {
  const auto text = [](std::string_view written) {
    const auto address = parse_masked_address(written);
    if (!address) return address.error();
    const auto prefix = address->prefix();
    return prefix ? to_string(*prefix)
                  : to_string(address->address) + "/" +
                        to_string(Address{address->address.family, address->mask});
  };
  CHECK(text("10.1.2.3") == "10.1.2.3/32");
  CHECK(text("10.1.2.3/8") == "10.0.0.0/8");
  CHECK(text("10.1.2.3/255.0.0.0") == "10.0.0.0/8");
  CHECK(text("10.1.2.3/0.0.0.0") == "0.0.0.0/0");
  CHECK(text("10.1.2.3/0") == "0.0.0.0/0");
  CHECK(text("10.1.2.1/255.0.0.255") == "10.0.0.1/255.0.0.255");
  CHECK(text("2001:DB8::1/32") == "2001:db8::/32");
  CHECK(text("2001:db8::1/ffff:ffff::1") == "2001:db8::1/ffff:ffff::1");
  CHECK(text("::/0") == "::/0");
  CHECK(text("::1/128") == "::1/128");
  CHECK(text("1.2.3.4/33") == "expected a length from 0 to 32 or an IPv4 mask after '/', found '33'");
  CHECK(text("::1/129") == "expected a length from 0 to 128 or an IPv6 mask after '/', found '129'");
  CHECK(text("1.2.3.4/64").find("0 to 32") != std::string::npos);
  CHECK(text("1.2.3.4/ffff::").find("0 to 32") != std::string::npos);
  for (const std::string_view odd :
       {"1.2.3.4/08", "1.2.3.4/010", "1.2.3.4/", "1.2.3.4/255.255", "1.2.3.4/+8"})
    CHECK(text(odd).find("after '/'") != std::string::npos);
  for (const std::string_view odd : {"10/8", "10.1", "010.0.0.1", "0x7f.0.0.1", "1.2.3.4.5", "256.1.1.1"})
    CHECK(text(odd).find("octal") != std::string::npos);
  CHECK(text("mail.example.com").find("resolver") != std::string::npos);
  CHECK(text("") == "expected an address, found nothing");
  CHECK(text("1::2::3") == "'1::2::3' is no IPv6 address");
}

}  // namespace aclmend::iptables

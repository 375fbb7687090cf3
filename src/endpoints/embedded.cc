// The newest known rows of each instance, from the texts in data/ (their form stands at the head of each).
#include "base/digest.h"
#include "base/text.h"
#include "endpoints/ports.h"
#include "endpoints/result.h"
#include "endpoints/statements.h"

namespace aclmend::endpoints {
namespace {

std::string_view file_of(Instance instance) {
  switch (instance) {
    case Instance::worldwide: return "worldwide.txt";
    case Instance::usgov_gcc_high: return "usgov-gcc-high.txt";
    case Instance::usgov_dod: return "usgov-dod.txt";
    case Instance::china: return "china.txt";
    case Instance::germany: return "germany.txt";
  }
  return "";
}

Completeness completeness_named(const Statement& statement) {
  for (const Completeness value :
       {Completeness::whole, Completeness::smtp_rows_newer, Completeness::smtp_rows})
    if (to_string(value) == statement.after_first) return value;
  broken(statement);
}

// row ID AREA [tcp PORTS] [udp PORTS] [CATEGORY] [required|optional]
Row parse_row(const Statement& statement) {
  const auto& words = statement.words;
  if (words.size() < 3) broken(statement);
  const auto id = parse_decimal<std::uint32_t>(words[1]);
  if (!id) broken(statement);
  Row row{.id = *id,
          .service_area = std::string(words[2]),
          .tcp_ports = {},
          .udp_ports = {},
          .ips = {},
          .urls = {},
          .category = {},
          .required = {}};
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (words[i] == "tcp" || words[i] == "udp") {
      PortSet& place = words[i] == "tcp" ? row.tcp_ports : row.udp_ports;
      if (++i == words.size()) broken(statement);
      auto ports = parse_ports(words[i]);
      if (!ports) broken(statement);
      place = std::move(*ports);
    } else if (words[i] == "required" || words[i] == "optional") {
      row.required = words[i] == "required";
    } else {
      row.category = words[i];
    }
  }
  return row;
}

void apply(Release& release, const Statement& statement) {
  const std::string_view key = statement.words.front();
  const std::string_view value = statement.after_first;
  if (key == "instance") {
    if (value != to_string(release.instance)) broken(statement);
  } else if (key == "version") {
    release.version = value;
  } else if (key == "as-of") {
    release.as_of = value;
  } else if (key == "checked") {
    release.checked = value;
  } else if (key == "completeness") {
    release.completeness = completeness_named(statement);
  } else if (key == "remark") {
    release.remarks.emplace_back(value);
  } else if (key == "row") {
    release.rows.push_back(parse_row(statement));
  } else if (key == "ip" && !release.rows.empty()) {
    const auto more = prefixes(statement);
    release.rows.back().ips.insert(release.rows.back().ips.end(), more.begin(), more.end());
  } else if (key == "url" && !release.rows.empty()) {
    for (std::size_t i = 1; i < statement.words.size(); ++i)
      release.rows.back().urls.emplace_back(statement.words[i]);
  } else {
    broken(statement);
  }
}

}  // namespace

Release newest(Instance instance) {
  Release release;
  release.instance = instance;
  release.origin = Origin::embedded;
  release.sha256 = sha256_hex(embedded_text(file_of(instance)));
  for (const Statement& statement : statements(file_of(instance))) apply(release, statement);
  return release;
}

}  // namespace aclmend::endpoints

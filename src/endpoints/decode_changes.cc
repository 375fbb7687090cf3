// Answers of /changes and /version as JSON ("Microsoft 365 IP Address and URL web service"). What is odd in
// real ones: dispositions with capitals, impacts that no document names, booleans as texts, additions without
// effectiveDate or with one older than their version, `previous` left out, blanks in port lists.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "endpoints/changes.h"
#include "endpoints/decode_fields.h"

namespace aclmend::endpoints {
namespace {

using Kind = JsonValue::Kind;

// Eight years of Worldwide are some 1,500 records.
constexpr std::size_t most_records = 10'000;
constexpr std::size_t most_entries = 100'000;  // prefixes and names together
constexpr std::size_t most_versions = 5'000;
constexpr std::size_t most_remarks = 20;

constexpr std::string_view known_impacts[] = {"AddedIp",
                                              "AddedUrl",
                                              "AddedIpAndUrl",
                                              "AddedSubstituteUrl",
                                              "RemovedIpOrUrl",
                                              "ChangedIsExpressRoute",
                                              "MovedIpOrUrl",
                                              "RemovedDuplicateIpOrUrl",
                                              "OtherNonPriorityChanges"};
constexpr std::string_view record_keys[] = {"id",      "endpointSetId",    "disposition", "impact",
                                            "version", "previous",         "current",     "add",
                                            "remove",  "changeDescription"};
constexpr std::string_view terms_keys[] = {
    "serviceArea", "serviceAreaDisplayName", "category", "required", "tcpPorts", "udpPorts", "notes",
    "expressRoute"};
constexpr std::string_view add_keys[] = {"effectiveDate", "ips", "urls"};
constexpr std::string_view remove_keys[] = {"ips", "urls"};

class Reader {
 public:
  explicit Reader(const Source& source) : source_(source) {}

  Result<ChangeRecord> record(const JsonValue& value);
  std::vector<std::string> remarks() const { return {remarks_.begin(), remarks_.end()}; }
  void remark(std::string text) {
    if (remarks_.size() < most_remarks) remarks_.insert(std::move(text));
  }

 private:
  Result<std::uint32_t> number(const JsonValue& object, std::string_view key) const;
  Result<Disposition> disposition(const JsonValue& object) const;
  Result<std::string> effective(const JsonValue& add) const;
  Result<Terms> terms(const JsonValue& record, std::string_view key);
  Result<const JsonValue*> object(const JsonValue& record, std::string_view key,
                                  std::span<const std::string_view> known);
  void note_unknown(const JsonValue& object, std::span<const std::string_view> known);

  const Source& source_;
  std::set<std::string> remarks_;
};

Result<std::uint32_t> Reader::number(const JsonValue& object, std::string_view key) const {
  const JsonValue* value = object.find(key);
  if (value == nullptr) return refuse(source_, object.offset, fmt::format("a record without '{}'", key));
  if (value->kind != Kind::whole_number || value->number > 1'000'000'000)
    return wrong_kind(source_, *value, key, "a whole number below 1,000,000,000");
  return static_cast<std::uint32_t>(value->number);
}

Result<Disposition> Reader::disposition(const JsonValue& object) const {
  TRY(text, text_of(source_, object, "disposition"));
  for (const Disposition value : {Disposition::add, Disposition::change, Disposition::remove})
    if (lower(text) == to_string(value)) return value;
  const JsonValue* value = object.find("disposition");
  return refuse(
      source_, value == nullptr ? object.offset : value->offset,
      fmt::format("expected 'disposition' to be add, change or remove, found '{}'", text.substr(0, 60)));
}

bool is_date(std::string_view digits) { return digits.size() == 8 && is_version(std::string(digits) + "00"); }

Result<std::string> Reader::effective(const JsonValue& add) const {
  TRY(text, text_of(source_, add, "effectiveDate"));
  if (text.empty()) return text;
  if (!is_date(text))
    return refuse(
        source_, add.find("effectiveDate")->offset,
        fmt::format("expected an 'effectiveDate' such as 20191125, found '{}'", text.substr(0, 60)));
  return fmt::format("{}-{}-{}", text.substr(0, 4), text.substr(4, 2), text.substr(6, 2));
}

void Reader::note_unknown(const JsonValue& object, std::span<const std::string_view> known) {
  for (const JsonMember& member : object.members)
    if (std::ranges::count(known, member.key) == 0)
      remark(fmt::format("'{}' is not known here and was passed over", member.key.substr(0, 60)));
}

Result<const JsonValue*> Reader::object(const JsonValue& record, std::string_view key,
                                        std::span<const std::string_view> known) {
  const JsonValue* value = record.find(key);
  if (value == nullptr) return value;
  if (value->kind != Kind::object) return wrong_kind(source_, *value, key, "an object");
  note_unknown(*value, known);
  return value;
}

Result<Terms> Reader::terms(const JsonValue& record, std::string_view key) {
  TRY(stated, object(record, key, terms_keys));
  Terms terms;
  if (stated == nullptr) return terms;
  if (stated->find("serviceArea") != nullptr) {
    TRY(area, text_of(source_, *stated, "serviceArea"));
    terms.service_area = std::move(area);
  }
  if (stated->find("category") != nullptr) {
    TRY(category, text_of(source_, *stated, "category"));
    terms.category = std::move(category);
  }
  if (stated->find("tcpPorts") != nullptr) {
    TRY(ports, ports_of(source_, *stated, "tcpPorts"));
    terms.tcp_ports = std::move(ports);
  }
  if (stated->find("udpPorts") != nullptr) {
    TRY(ports, ports_of(source_, *stated, "udpPorts"));
    terms.udp_ports = std::move(ports);
  }
  TRY(required, truth_of(source_, *stated, "required"));
  terms.required = required;
  return terms;
}

Result<ChangeRecord> Reader::record(const JsonValue& value) {
  if (value.kind != Kind::object)
    return refuse(source_, value.offset, fmt::format("expected a record, found {}", to_string(value.kind)));
  note_unknown(value, record_keys);
  ChangeRecord record;
  record.line = source_.position(value.offset).line;
  TRY(id, number(value, "id"));
  TRY(row, number(value, "endpointSetId"));
  TRY(version, text_of(source_, value, "version"));
  if (!is_version(version))
    return refuse(source_, value.offset,
                  fmt::format("record {}: expected a 'version' of ten digits such as 2020012800, found '{}'",
                              id, version.substr(0, 60)));
  TRY(disposition, this->disposition(value));
  TRY(impact, text_of(source_, value, "impact"));
  if (!impact.empty() && std::ranges::count(known_impacts, impact) == 0)
    remark(fmt::format("the impact '{}' is not known here; nothing hangs on it", impact.substr(0, 60)));
  TRY(previous, terms(value, "previous"));
  TRY(current, terms(value, "current"));
  TRY(add, object(value, "add", add_keys));
  TRY(remove, object(value, "remove", remove_keys));
  if (add != nullptr) {
    TRY(effective, this->effective(*add));
    TRY(ips, prefixes_of(source_, *add));
    TRY(urls, urls_of(source_, *add));
    record.effective = std::move(effective);
    record.added_ips = std::move(ips);
    record.added_urls = std::move(urls);
  }
  if (remove != nullptr) {
    TRY(ips, prefixes_of(source_, *remove));
    TRY(urls, urls_of(source_, *remove));
    record.removed_ips = std::move(ips);
    record.removed_urls = std::move(urls);
  }
  record.id = id;
  record.row = row;
  record.version = std::move(version);
  record.disposition = disposition;
  record.previous = std::move(previous);
  record.current = std::move(current);
  return record;
}

// What a JSON text is that is not what was asked for; empty: it may be.
std::string_view other_than_changes(const JsonValue& root) {
  const JsonValue& sample = root.kind == Kind::array && !root.items.empty() ? root.items.front() : root;
  if (sample.find("latest") != nullptr) return "an answer of /version, which says what versions there are";
  if (sample.find("serviceArea") != nullptr && sample.find("disposition") == nullptr)
    return "an answer of /endpoints, which says what stands in the list and not what changed";
  if (root.kind != Kind::array) return "JSON, but no list of changes";
  return {};
}

std::string_view other_than_versions(const JsonValue& root) {
  const JsonValue& sample = root.kind == Kind::array && !root.items.empty() ? root.items.front() : root;
  if (sample.find("disposition") != nullptr) return "an answer of /changes, which says what changed";
  if (sample.find("serviceArea") != nullptr) return "an answer of /endpoints, a list itself";
  if (root.kind == Kind::array && root.items.empty()) return "an empty list of versions";
  if (root.kind != Kind::array && root.kind != Kind::object) return "JSON, but no answer of /version";
  return {};
}

Result<JsonValue> root_of(const Source& source, std::string_view (*other)(const JsonValue&),
                          std::string_view wanted) {
  const std::string_view text = source.text();
  if (text.size() > largest_text)
    return refuse(source, 0, fmt::format("larger than {} MiB; wanted is {}", largest_text >> 20, wanted));
  if (const auto what = other_than_json(text); !what.empty())
    return refuse(source, 0, fmt::format("the file is {}; wanted is {}", what, wanted));
  TRY(root, parse_json(source));
  if (const auto what = other(root); !what.empty())
    return refuse(source, root.offset, fmt::format("the file is {}; wanted is {}", what, wanted));
  return root;
}

Result<std::string> version_of(const Source& source, const JsonValue& object, std::string_view key) {
  TRY(text, text_of(source, object, key));
  if (is_version(text)) return text;
  return refuse(source, object.offset,
                fmt::format("expected '{}' to be a version of ten digits such as 2020012800, found '{}'", key,
                            text.substr(0, 60)));
}

Result<std::vector<std::string>> versions_of(const Source& source, const JsonValue& object) {
  std::vector<std::string> versions;
  const JsonValue* list = object.find("versions");
  if (list == nullptr) return versions;
  if (list->kind != Kind::array) return wrong_kind(source, *list, "versions", "a list");
  if (list->items.size() > most_versions)
    return refuse(source, list->offset, fmt::format("more than {} versions", most_versions));
  for (const JsonValue& item : list->items) {
    if (item.kind != Kind::text) return wrong_kind(source, item, "versions", "texts");
    if (!is_version(item.text))
      return refuse(source, item.offset,
                    fmt::format("expected a version of ten digits such as 2020012800, found '{}'",
                                item.text.substr(0, 60)));
    versions.push_back(item.text);
  }
  std::ranges::sort(versions, std::ranges::greater());
  versions.erase(std::ranges::unique(versions).begin(), versions.end());
  return versions;
}

}  // namespace

bool is_version(std::string_view text) {
  if (text.size() != 10 || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  const auto month = text.substr(4, 2), day = text.substr(6, 2);
  return text.substr(0, 4) >= "1990" && month >= "01" && month <= "12" && day >= "01" && day <= "31";
}

Result<Changes> decode_changes(const Source& source, Instance instance) {
  TRY(root, root_of(source, other_than_changes, "the answer of /changes/INSTANCE/VERSION as JSON"));
  if (root.items.size() > most_records)
    return refuse(source, root.offset, fmt::format("more than {} records", most_records));
  Changes changes;
  changes.instance = instance;
  changes.file = source.name();
  changes.lines = source.line_count();
  changes.sha256 = source.sha256();
  Reader reader(source);
  std::size_t entries = 0;
  for (const JsonValue& item : root.items) {
    TRY(record, reader.record(item));
    entries += record.added_ips.size() + record.removed_ips.size() + record.added_urls.size() +
               record.removed_urls.size();
    if (entries > most_entries)
      return refuse(source, item.offset, fmt::format("more than {} prefixes and names", most_entries));
    changes.records.push_back(std::move(record));
  }
  std::ranges::stable_sort(changes.records, {}, &ChangeRecord::version);
  changes.remarks = reader.remarks();
  return changes;
}

Result<Versions> decode_versions(const Source& source) {
  TRY(root, root_of(source, other_than_versions, "the answer of /version as JSON"));
  const std::span<const JsonValue> answers = root.kind == Kind::array ? std::span<const JsonValue>(root.items)
                                                                      : std::span<const JsonValue>(&root, 1);
  if (answers.size() > 100) return refuse(source, root.offset, "more than 100 instances");
  Versions versions;
  for (const JsonValue& answer : answers) {
    if (answer.kind != Kind::object)
      return refuse(source, answer.offset,
                    fmt::format("expected an object, found {}", to_string(answer.kind)));
    TRY(name, text_of(source, answer, "instance"));
    TRY(latest, version_of(source, answer, "latest"));
    TRY(all, versions_of(source, answer));
    const auto instance = instance_named(name);
    if (!instance) {
      versions.remarks.push_back(fmt::format("the instance '{}' is not known here", name.substr(0, 60)));
      continue;
    }
    if (std::ranges::count(versions.all, *instance, &Latest::instance) != 0)
      return refuse(source, answer.offset, fmt::format("{} stands twice", to_string(*instance)));
    versions.all.push_back({.instance = *instance, .latest = std::move(latest), .versions = std::move(all)});
  }
  return versions;
}

}  // namespace aclmend::endpoints

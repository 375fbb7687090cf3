// What the subcommands of `endpoints` share: which list, which rows of it; and how each hands over what is to
// run once it was chosen.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/published.h"
#include "endpoints/result.h"
#include "report/frame.h"

namespace aclmend::cli {

// Which list: --instance --endpoints --store; which rows of it: --flow --rules --all.
struct ListOptions {
  std::string instance;
  std::string endpoints;
  StoreOptions store;
  std::string flow;
  std::vector<std::string> rules;
  bool all = false;
};
void declare(CLI::App& app, ListOptions& options);            // all but --endpoints
void declare_endpoints(CLI::App& app, ListOptions& options);  // --endpoints

enum class Rows : std::uint8_t { of_the_flow, all };

// What is asked for, as reports say it.
struct RowQuestion {
  std::optional<endpoints::Selection> selection;  // none: all rows, or the flow's own ranges
  std::optional<AddressSet> literal;
  std::string flow;
  std::string words;
};
Result<RowQuestion> question_of(const ListOptions& options, Rows unsaid);

Result<std::optional<endpoints::Instance>> instance_of(const std::string& word);
Result<endpoints::Release> release_of(const ListOptions& options);
Result<endpoints::Release> release_named(const std::string& word, const ListOptions& options);

// A list from a file is an input of the report.
void add_input(report::Frame& frame, const endpoints::Release& release, const ListOptions& options);

// What runs when the command line was read.
using Chosen = std::shared_ptr<std::function<int(Streams&)>>;

void add_show(CLI::App& endpoints, const Chosen& chosen);
void add_diff(CLI::App& endpoints, const Chosen& chosen);
void add_covers(CLI::App& endpoints, const Chosen& chosen);
void add_export(CLI::App& endpoints, const Chosen& chosen);
void add_fetch(CLI::App& endpoints, const Chosen& chosen);
void add_import(CLI::App& endpoints, const Chosen& chosen);
void add_history(CLI::App& endpoints, const Chosen& chosen);
void add_verify(CLI::App& endpoints, const Chosen& chosen);
void add_pin(CLI::App& endpoints, const Chosen& chosen);

}  // namespace aclmend::cli

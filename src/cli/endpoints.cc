// aclmend endpoints: what Microsoft 365 publishes. Each subcommand is a file endpoints_NAME.cc.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/endpoint_lists.h"

namespace aclmend::cli {
namespace {

std::function<int(Streams&)> define(CLI::App& app) {
  const Chosen chosen = std::make_shared<std::function<int(Streams&)>>();
  for (const auto add :
       {add_show, add_covers, add_diff, add_export, add_fetch, add_import, add_history, add_verify, add_pin})
    add(app, chosen);
  app.require_subcommand(1);
  return [chosen](Streams& streams) { return (*chosen)(streams); };
}

}  // namespace

extern const Command endpoints_command;
const Command endpoints_command{
    .name = "endpoints",
    .group = "Watch",
    .summary = "what Microsoft 365 publishes: fetch it, look, compare, export",
    .examples =
        "Which ranges does Microsoft 365 publish, is this address one of them, what changed?\n\n"
        "  aclmend endpoints show                          the ranges that send mail\n"
        "  aclmend endpoints show --instance China --flow hybrid-inbound-https\n"
        "  aclmend endpoints covers 52.100.140.7           exit status 0: yes, 1: no\n"
        "  aclmend endpoints covers 40.92.0.0/14 --instance Worldwide --flow eop-inbound-smtp\n"
        "  aclmend endpoints covers --file seen.txt        many, a list with one a line; '-' is standard "
        "input\n"
        "  aclmend endpoints export --format ipset         a list to load: plain, csv, json, edl, nft, …\n"
        "  aclmend endpoints diff 2018072800 2019022800    what changed in the SMTP rows\n"
        "  aclmend endpoints diff saved.json --all         a saved answer against the newest at hand\n"
        "  aclmend endpoints fetch                         ask Microsoft, keep what is new\n"
        "  aclmend endpoints history                       every release held, and what it changed\n"
        "  aclmend endpoints pin --latest                  move the inventory's pin to the newest release\n",
    .define = define,
};

}  // namespace aclmend::cli

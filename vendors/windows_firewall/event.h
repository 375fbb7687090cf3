// Events of the Windows Filtering Platform: 5152 (packet blocked), 5157 (connection blocked), 5156 (allowed).
#pragma once
#include <memory>
#include <string_view>

#include "vendors/log.h"

namespace aclmend::windows_firewall {

// XML (one event a piece), JSON of log shippers (one event a line), and the text form in English.
std::unique_ptr<evidence::LogReader> event_reader(const evidence::LogContext& context);

// Does a text begin as XML with events, whose elements need no line ends?
bool begins_with_events(std::string_view head);

}  // namespace aclmend::windows_firewall

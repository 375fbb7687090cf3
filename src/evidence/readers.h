// The formats that belong to no firewall; private to the folder.
#pragma once
#include <memory>

#include "vendors/log.h"

namespace aclmend::evidence {

std::unique_ptr<LogReader> exchange_reader(
    const LogContext& context);                                      // protocol, connectivity, tracking logs
std::unique_ptr<LogReader> trace_reader(const LogContext& context);  // message traces as CSV
std::unique_ptr<LogReader> queue_reader(const LogContext& context);  // Get-Queue
std::unique_ptr<LogReader> text_reader(const LogContext& context);   // error texts, as they were pasted

// The record that an error text gives. `deferral` and what it points into must outlive it.
Record record_of(const Deferral& deferral);

}  // namespace aclmend::evidence

// A file is offered to the formats line by line, since relays mix devices. The format that took the line
// before is asked first: in a log of one device that is one question a line.
#include <algorithm>

#include "base/text.h"
#include "evidence/readers.h"
#include "evidence/result.h"

namespace aclmend::evidence {
namespace {

constexpr LogFormat own_formats[] = {
    {.id = "smtp-receive", .title = "Exchange log", .vendor = {}, .reader = exchange_reader},
    {.id = "message-trace", .title = "message trace", .vendor = {}, .reader = trace_reader},
    {.id = "queue", .title = "Get-Queue", .vendor = {}, .reader = queue_reader, .gathers = true},
    {.id = "deferral", .title = "error text", .vendor = {}, .reader = text_reader, .gathers = true},
};

struct Title {
  std::string_view source, title;
};
// Of sources that are not their format's id.
constexpr Title titles[] = {
    {"smtp-receive", "Exchange SmtpReceive protocol log"},
    {"smtp-send", "Exchange SmtpSend protocol log"},
    {"connectivity", "Exchange connectivity log"},
    {"message-tracking", "Exchange message tracking log"},
    {"message-trace", "message trace"},
    {"queue", "Get-Queue"},
    {"deferral", "error text of a deferral"},
    {"ndr", "error text of a returned message"},
};

constexpr std::string_view no_mark = "no format's mark", overlong_line = "longer than 64 KiB",
                           binary = "binary data";

void count(std::vector<ReasonCount>& counts, std::string_view reason, std::uint64_t line,
           std::uint64_t times = 1) {
  const auto known = std::ranges::find(counts, reason, &ReasonCount::reason);
  if (known != counts.end()) known->count += times;
  else counts.push_back({reason, times, line});
}

struct Asked {
  const LogFormat* format = nullptr;
  std::unique_ptr<LogReader> reader;
};

class FileReader {
 public:
  FileReader(Lines& lines, const Options& options, const Handlers& handlers)
      : lines_(lines), options_(options), handlers_(handlers), context_(options.context) {
    reading_.file = lines.name();
    if (context_.newest == 0) context_.newest = lines.modified().value_or(options.now);
    for (const LogFormat* format : formats()) asked_.push_back({format, format->reader(context_)});
  }

  Reading run() {
    const std::string_view head = lines_.head();
    for (Asked& one : asked_)
      if (one.format->begins != nullptr && one.format->begins(head)) return run_pieces(one);
    while (const auto line = lines_.next()) take(*line);
    return done();
  }

 private:
  // Events in place of lines: one format for the whole file.
  Reading run_pieces(Asked& one) {
    last_ = &one;
    while (const auto piece = lines_.next_through(one.format->ends_with)) {
      LineRead read = one.reader->read(*piece);
      if (read.as == LineRead::As::foreign) not_read(*piece);
      else deliver(one, read, *piece);
    }
    return done();
  }

  void take(const TextLine& line) {
    if (last_ != nullptr && !last_->format->gathers && offer(*last_, line)) return;
    if (line.text.empty() || trimmed(line.text).empty()) {
      if (last_ != nullptr && last_->format->gathers && offer(*last_, line)) return;
      if (last_ != nullptr && last_->format->gathers) finish(*last_);
      ++reading_.blank;
      return;
    }
    for (Asked& one : asked_) {
      if (&one == last_ && !one.format->gathers) continue;
      LineRead read = one.reader->read(line);
      if (read.as == LineRead::As::foreign) continue;
      if (last_ != nullptr && last_ != &one) finish(*last_);
      last_ = &one;
      deliver(one, read, line);
      return;
    }
    if (last_ != nullptr && last_->format->gathers) finish(*last_);
    not_read(line);
  }

  bool offer(Asked& one, const TextLine& line) {
    LineRead read = one.reader->read(line);
    if (read.as == LineRead::As::foreign) return false;
    deliver(one, read, line);
    return true;
  }

  void finish(Asked& one) {
    constexpr int most = 4;
    for (int i = 0; i < most; ++i) {
      LineRead read = one.reader->finish();
      if (read.as == LineRead::As::foreign) return;
      deliver(one, read, {.text = {}, .number = lines_.lines()});
    }
  }

  void deliver(const Asked& one, LineRead& read, const TextLine& line) {
    using As = LineRead::As;
    if (read.record.line == 0) read.record.line = line.number;
    if (read.record.source.empty()) read.record.source = one.format->id;
    if (!one.format->gathers) read.record.text = line.text;
    switch (read.as) {
      case As::foreign: return;
      case As::silent: ++reading_.silent; return;
      case As::damaged:
        count(reading_.damaged, read.reason, read.record.line);
        if (handlers_.unread)
          handlers_.unread({read.record.line, read.record.source, read.reason, line.text, true});
        return;
      case As::hole: count(reading_.holes, read.reason, read.record.line); return;
      case As::record: break;
    }
    Record& record = read.record;
    add(one, record);
    if (record.time) put_time(*record.time);
    else ++reading_.without_time;
    if (handlers_.record) handlers_.record(record);
  }

  void add(const Asked& one, const Record& record) {
    // The texts are constants: the same source is the same place in memory, nearly always.
    if (last_count_ >= reading_.sources.size() || reading_.sources[last_count_].source != record.source) {
      const auto known = std::ranges::find(reading_.sources, record.source, &SourceCount::source);
      last_count_ = static_cast<std::size_t>(known - reading_.sources.begin());
      if (known == reading_.sources.end()) {
        const auto title = std::ranges::find(titles, record.source, &Title::source);
        reading_.sources.push_back({record.source,
                                    title == std::end(titles) ? one.format->title : title->title,
                                    one.format->vendor});
      }
    }
    ++reading_.sources[last_count_].records[static_cast<std::size_t>(record.kind)];
  }

  void put_time(Moment& time) {
    if (!time.offset) {
      if (options_.zone) {
        time.offset = options_.zone;
        reading_.has_guessed_zone = true;
      } else {
        ++reading_.without_zone;
      }
    }
    const std::int64_t micros = utc_micros(time);
    if (!reading_.first || micros < utc_micros(*reading_.first)) reading_.first = time;
    if (!reading_.last || micros > utc_micros(*reading_.last)) reading_.last = time;
  }

  void not_read(const TextLine& line) {
    const bool is_binary = line.text.find('\0') != std::string_view::npos;
    const std::string_view reason = is_binary ? binary : no_mark;
    count(reading_.unread, reason, line.number);
    if (handlers_.unread) handlers_.unread({line.number, {}, reason, line.text, false});
  }

  Reading done() {
    if (last_ != nullptr) finish(*last_);
    reading_.lines = lines_.lines();
    reading_.bytes = lines_.bytes();
    reading_.encoding = lines_.encoding();
    reading_.trouble = lines_.trouble();
    if (lines_.overlong() > 0) count(reading_.unread, overlong_line, 0, lines_.overlong());
    return std::move(reading_);
  }

  Lines& lines_;
  const Options& options_;
  const Handlers& handlers_;
  LogContext context_;
  std::vector<Asked> asked_;
  Asked* last_ = nullptr;
  std::size_t last_count_ = 0;
  Reading reading_;
};

}  // namespace

std::uint64_t SourceCount::total() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t one : records) sum += one;
  return sum;
}

std::uint64_t Reading::records() const {
  std::uint64_t sum = 0;
  for (const SourceCount& one : sources) sum += one.total();
  return sum;
}

std::vector<const LogFormat*> formats() {
  std::vector<const LogFormat*> all, gathering;
  const auto add = [&](const LogFormat& format) { (format.gathers ? gathering : all).push_back(&format); };
  for (const std::span<const LogFormat> its : vendor_logs())
    for (const LogFormat& format : its) add(format);
  for (const LogFormat& format : own_formats) add(format);
  all.insert(all.end(), gathering.begin(), gathering.end());
  return all;
}

Reading read(Lines& lines, const Options& options, const Handlers& handlers) {
  return FileReader(lines, options, handlers).run();
}

Result<Reading> read(const std::string& path, const Options& options, const Handlers& handlers) {
  TRY(lines, Lines::open(path));
  return read(lines, options, handlers);
}

bool is_evidence(std::string_view head) {
  constexpr std::size_t enough = 64 << 10;
  Lines lines = Lines::over("", std::string(head.substr(0, enough)));
  const Reading found = read(lines, {}, {});
  std::uint64_t not_read = 0;
  for (const ReasonCount& one : found.unread) not_read += one.count;
  return found.is_recognised() && found.records() + found.silent >= not_read;
}

}  // namespace aclmend::evidence

#include "vendors/iptables/ahead.h"

#include <system_error>

namespace aclmend::iptables {

Ahead::Ahead(const Interpreter& interpreter, const Chains& chains, Place place, Lines lines,
             std::size_t piece)
    : lines_(lines), piece_(piece), count_((lines.left() + piece - 1) / piece) {
  constexpr std::size_t at_once = 4;  // what they are made into stays in the caches
  for (std::size_t i = 0; i < at_once; ++i)
    pieces_.push_back({Interpreter::Early(interpreter, chains, place, piece)});
  try {
    helper_ = std::thread([this] { help(); });
  } catch (const std::system_error&) {  // then alone
  }
}

Ahead::~Ahead() {
  {
    const Lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (helper_.joinable()) helper_.join();
}

void Ahead::help() {
  Lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || (!rests_ && may_begin()); });
    if (ends_) return;
    read_one(lock);
  }
}

void Ahead::read_one(Lock& lock) {
  const std::size_t which = begun_++;
  Piece& piece = pieces_[which % pieces_.size()];
  piece.is_read = false;
  ++being_read_;
  lock.unlock();
  std::exception_ptr failure;
  try {
    piece.early.read(lines_.part(which * piece_, (which + 1) * piece_));
  } catch (...) {
    failure = std::current_exception();  // on the helper's thread nobody would catch it
  }
  lock.lock();
  if (failure) failure_ = failure;
  --being_read_;
  piece.is_read = true;
  changed_.notify_all();
}

const Interpreter::Early* Ahead::next() {
  Lock lock(mutex_);
  given_back_ = handed_out_;
  rests_ = false;
  changed_.notify_all();
  if (handed_out_ == count_) return nullptr;
  const Piece& piece = pieces_[handed_out_ % pieces_.size()];
  while (begun_ == handed_out_ || !piece.is_read) {
    if (may_begin()) read_one(lock);
    else changed_.wait(lock);
  }
  if (failure_) std::rethrow_exception(failure_);
  ++handed_out_;
  return &piece.early;
}

void Ahead::rest() {
  Lock lock(mutex_);
  rests_ = true;
  changed_.wait(lock, [&] { return being_read_ == 0; });
}

}  // namespace aclmend::iptables

// A long run of rules, read before its turn in pieces: a second thread reads while the first one appends what
// is read already, and whoever has nothing else to do reads the next piece.
#pragma once
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "vendors/iptables/commands.h"

namespace aclmend::iptables {

class Ahead {
 public:
  // In pieces of so many bytes; a line belongs to the piece in which it begins.
  Ahead(const Interpreter& interpreter, const Chains& chains, Place place, Lines lines, std::size_t piece);
  ~Ahead();
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  // The next piece in the lines' order, valid until the next call; none: that was the last one.
  const Interpreter::Early* next();
  // Waits until nobody reads, and nobody does until the next call of `next`: only now may chains be made and
  // skeletons be learnt.
  void rest();

 private:
  struct Piece {
    Interpreter::Early early;
    bool is_read = false;
  };
  using Lock = std::unique_lock<std::mutex>;

  void help();
  bool may_begin() const { return begun_ < count_ && begun_ < given_back_ + pieces_.size(); }
  void read_one(Lock& lock);  // the first that nobody began

  const Lines lines_;
  std::size_t piece_;
  std::size_t count_;  // of the pieces; all numbers below count them in their order
  std::vector<Piece> pieces_;
  std::size_t begun_ = 0, handed_out_ = 0, given_back_ = 0;
  std::size_t being_read_ = 0;
  bool rests_ = false, ends_ = false;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread helper_;  // none where no thread is to be had
};

}  // namespace aclmend::iptables

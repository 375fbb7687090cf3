#include "tests/oracle/iptables/sockets.h"

#include <fmt/format.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace aclmend::oracle {
namespace {

Address address_of(const in6_addr& from) {
  V6 number = 0;
  for (const std::uint8_t byte : from.s6_addr) number = number << 8 | byte;
  return Address::v6(number);
}

}  // namespace

Result<Descriptor> socket_of(int domain, int type, int protocol) {
  Descriptor socket(::socket(domain, type | SOCK_CLOEXEC, protocol));
  if (!socket.is_open()) return fail(reason("no socket"));
  const int size = 8 << 20;
  ::setsockopt(*socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  return socket;
}

Result<Listener> listener(Family family, std::uint8_t protocol) {
  TRY(socket, socket_of(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK, protocol));
  const int on = 1;
  if (family == Family::ipv6) ::setsockopt(*socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  return Listener{family, protocol, std::move(socket)};
}

Heard next_of(const Listener& listener) {
  char bytes[2048];
  alignas(cmsghdr) char control[256];
  sockaddr_in6 sender{};
  iovec part{bytes, sizeof bytes};
  msghdr message{};
  message.msg_name = &sender;
  message.msg_namelen = sizeof sender;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = ::recvmsg(*listener.socket, &message, 0);
  if (got < 0) return {};
  const std::string_view heard(bytes, static_cast<std::size_t>(got));
  if (listener.family == Family::ipv4) return {true, known_ipv4(heard)};
  auto known = known_transport(listener.protocol, heard);
  if (!known) return {true, {}};
  known->packet.source = address_of(sender.sin6_addr);
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    if (one->cmsg_level != IPPROTO_IPV6 || one->cmsg_type != IPV6_PKTINFO) continue;
    in6_pktinfo info;
    std::memcpy(&info, CMSG_DATA(one), sizeof info);
    known->packet.destination = address_of(info.ipi6_addr);
  }
  return {true, known};
}

Result<Descriptor> connection_table() { return socket_of(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER); }

Result<void> forget_connections(const Descriptor& table) {
  struct {
    nlmsghdr head;
    nfgenmsg about;
  } message{};
  message.head.nlmsg_len = sizeof message;
  message.head.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
  message.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  if (::send(*table, &message, sizeof message, 0) < 0) return fail(reason("no connection table"));
  char answer[1024];
  if (::recv(*table, answer, sizeof answer, 0) < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(int)))
    return fail(reason("the connection table does not answer"));
  int error = 0;
  std::memcpy(&error, answer + sizeof(nlmsghdr), sizeof error);
  if (error != 0) return fail(fmt::format("the connection table is not emptied: {}", std::strerror(-error)));
  return {};
}

}  // namespace aclmend::oracle

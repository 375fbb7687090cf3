// Where two policies can differ: the boxes of what has no partner, as they are on the wire.
//
// A rule's box is written as the filter sees packets. A packet may look so untranslated, or because a
// translation moved it: an Image says which wire packets it may take and where it moves them. The region of a
// rule is its own box and what each image moves into it. (Private to difference.)
#pragma once
#include <map>
#include <optional>
#include <set>

#include "difference/compare.h"
#include "model/question.h"
#include "sets/packet_set.h"

namespace aclmend::difference {

struct Image {
  Box wire;
  model::Translation move;  // all translations on the way, as one
  AddressSet destination;   // what the wire destinations and ports look like
  PortSet port;
};
// None: too many to be told apart; anything may look like anything.
using Images = std::optional<std::vector<Image>>;

// What packets of a set may look like: untranslated, or moved by an image.
struct Seen {
  AddressSet source, destination;
  ProtocolSet protocol;
  PortSet source_port, destination_port;
  void add(const Box& wire, const Images& images);
  void add(const Box& wire, const Image& image);
};

struct ContextRegion {
  std::vector<Box> boxes;   // disjoint
  bool is_same_way = true;  // stages, branches and defaults are equal; only rules differ
};

class Regions {
 public:
  explicit Regions(Comparison& comparison);
  Images images(Side side, const model::Context& context);
  ContextRegion region(const Sides<model::Context>& contexts, const Sides<Images>& images);

 private:
  struct Summary {  // of one list: what a walk for translations needs
    std::vector<std::uint32_t> translating;
    std::vector<model::ListId> calls;
  };
  struct ListPart {  // the rules of a list before its idle tail (see idle_from)
    model::ListId list = 0;
    std::uint32_t end = ~std::uint32_t{0};
    auto operator<=>(const ListPart&) const = default;
  };
  struct Collected {  // while the region of one context is gathered
    const Sides<model::Context>& contexts;
    std::vector<Box> seen{};  // as the filter sees it
    bool is_everything = false;
    bool is_same_way = true;
    std::set<std::pair<ListPart, ListPart>> visited{};
    std::set<model::Dimension> may_be_known{};  // on some way
    std::set<model::Dimension> entered{};       // of the branches around
  };

  const Summary& summary(Side side, model::ListId list);
  std::vector<std::uint32_t> reachable_lists(Side side, const std::vector<model::ListId>& from);
  Images moved(Side side, const model::Context& context, model::NodeId node,
               const std::vector<Image>& before);

  void compare(Collected& to, model::NodeId before, model::NodeId after);
  void compare_stages(Collected& to, const model::Stage& before, const model::Stage& after);
  void compare_branches(Collected& to, const model::Branch& before, const model::Branch& after);
  void compare_lists(Collected& to, ListPart before, ListPart after);
  ListPart part(Side side, const model::Stage& stage, std::size_t index) const;
  void alone(Collected& to, Side side, model::NodeId node);
  void touch_list(Collected& to, Side side, ListPart part);
  void touch(Collected& to, Side side, const model::Rule& rule);
  void touch_groups(Collected& to, const model::Rule& before, const model::Rule& after);
  const AddressSet& changed_addresses(model::AddressTerm before, model::AddressTerm after);

  Comparison& comparison_;
  Sides<std::vector<std::optional<Summary>>> summaries_;
  std::map<std::pair<model::GroupId, model::GroupId>, AddressSet> changed_;
};

}  // namespace aclmend::difference

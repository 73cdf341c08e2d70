// Whether it pays to share an image among threads, judged by the images before it.
//
// Where the other cores are busy, the system lets their threads wait for milliseconds, and a shared
// image takes longer than one that a single thread computes. So each time that a shared image was
// late, the next ones are computed alone, more of them every time; a number of shared images in
// time makes up for it.
#pragma once

#include <cstddef>

#include "core/run/wait.h"

namespace bnas {

class Pace {
 public:
  using Time = Wait::Time;

  // Whether to share the next image. The first ones are not shared: they tell how long one takes.
  bool shares() const { return alone_left_ == 0; }

  // How long to wait for a thread that holds a share, longer than any share should take. After
  // that, computing the image anew is as good as waiting on.
  Time patience() const { return alone_ / 4; }

  void ran_alone(Time took);
  void ran_shared(Time took, bool in_time);

 private:
  static constexpr std::size_t fewest = 32, most = 1024;

  Time alone_{};                // what an image takes alone, about the least of late
  std::size_t alone_left_ = 2;  // images not to share: in the first one, memory is cold
  std::size_t penalty_ = fewest, in_time_ = 0;
};

}  // namespace bnas

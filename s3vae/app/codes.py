"""The codes of one video."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray


@dataclass(frozen=True)
class Codes:
    """The codes of one video: z_f, and z_t at each time in seconds."""

    static: Float32[ndarray, " static"]
    dynamic: Float32[ndarray, "time dynamic"]
    times: Float64[ndarray, " time"]

    def at(self, times: Float64[ndarray, " shown"]) -> "Codes":
        """Return z_t at other times, linear between those that are known."""
        dynamic = [np.interp(times, self.times, each) for each in self.dynamic.T]
        return Codes(self.static, np.stack(dynamic, axis=1).astype(np.float32), times)

    def first(self, count: int) -> "Codes":
        """Return the codes of the first frames."""
        return Codes(self.static, self.dynamic[:count], self.times[:count])

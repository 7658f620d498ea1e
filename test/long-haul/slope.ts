// The slope of a cloud of points as the median of the slopes of all pairs, which a few wild ones cannot move.

/** Theil and Sen's estimate. Units: of the second coordinate for one of the first; 0 where there is no pair. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const slopes = points
    .flatMap(([x, y], index) => points.slice(index + 1).map(([u, v]) => (v - y) / (u - x)))
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (slopes.length === 0) return 0;
  const middle = Math.floor(slopes.length / 2);
  return slopes.length % 2 === 1 ? slopes[middle]! : (slopes[middle - 1]! + slopes[middle]!) / 2;
}

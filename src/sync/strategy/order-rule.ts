/**
 * How the queried nodes are chosen: `bisect`, by Algorithm 1, whose order is the same for every caller; or `cover`, the
 * fewest nodes.
 */
export const orderRules = ["bisect", "cover"] as const;

export type OrderRule = (typeof orderRules)[number];

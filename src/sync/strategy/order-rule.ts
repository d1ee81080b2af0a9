/**
 * How the nodes are chosen that are asked: by Algorithm 1, whose order is the same for everybody, or so that
 * as few as can be are asked.
 */
export const orderRules = ["bisect", "cover"] as const;

export type OrderRule = (typeof orderRules)[number];

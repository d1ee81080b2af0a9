/** All relations between bounds of different files, checked when this module is loaded. */

import { networkAndGossipRelations } from "./network-relations.ts";
import { type Relation, requireRelations } from "./relation.ts";
import { transferRelations } from "./transfer-relations.ts";

export const relations: readonly Relation[] = [...transferRelations, ...networkAndGossipRelations];

requireRelations(relations);

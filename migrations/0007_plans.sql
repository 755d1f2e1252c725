-- The plans of an append are made once a connection. Left to choose, PostgreSQL plans some statements of a function anew
-- for each group, since that looks cheaper to it with the sizes of the arrays at hand: half of the time of a lone append.
ALTER FUNCTION append_events SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION stands_above SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION rarest_tag SET plan_cache_mode = force_generic_plan;

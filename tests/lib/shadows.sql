-- What a caller plants in front of what our functions mean, in pg_temp, in "$user" and in
-- public: types with a check, tables, functions and operators.  Each leaves a row in
-- public.loot that says as whom it ran.  To be run by the caller, in its session.
create function public.evil(via pg_catalog.text) returns pg_catalog.bool language plpgsql as
  $$ begin insert into public.loot values (current_user, via); return true; end $$;

do $do$
declare
  v_name   pg_catalog.name;
  v_schema pg_catalog.name;
  v_operator pg_catalog.text;
  v_function pg_catalog.text;
begin
  foreach v_name in array '{text,uuid,jsonb,json,timestamptz,regclass,int2,int4,int8,float4,bool,numeric,interval,name,oid}'::pg_catalog.name[] loop
    execute pg_catalog.format('create domain pg_temp.%I as pg_catalog.%I check (public.evil(%L))', v_name, v_name, 'type ' || v_name);
  end loop;

  foreach v_name in array '{jobs,queues,ready,scheduled,claims,workers,attempts,cancels,unique_keys,kinds,user_claims,migrations,new_jobs,old_jobs,pg_proc,pg_namespace,pg_class}'::pg_catalog.name[] loop
    execute pg_catalog.format('create temp view %I as select public.evil(%L)', v_name, 'table ' || v_name);
  end loop;

  foreach v_schema in array array['public', session_user]::pg_catalog.name[] loop
    foreach v_name in array '{now,clock_timestamp,gen_random_uuid,pg_postmaster_start_time}'::pg_catalog.name[] loop
      execute pg_catalog.format('create function %I.%I() returns pg_catalog.%s language plpgsql as $$ begin perform public.evil(%L); return pg_catalog.%I(); end $$',
                                v_schema, v_name, case v_name when 'gen_random_uuid' then 'uuid' else 'timestamptz' end, 'function ' || v_name, v_name);
    end loop;
    foreach v_name in array '{length,octet_length,hashtext}'::pg_catalog.name[] loop
      execute pg_catalog.format('create function %I.%I(pg_catalog.text) returns pg_catalog.int4 language plpgsql as $$ begin perform public.evil(%L); return pg_catalog.%I($1); end $$',
                                v_schema, v_name, 'function ' || v_name, v_name);
    end loop;
    foreach v_name in array '{int8,int4,text,uuid,jsonb,bool}'::pg_catalog.name[] loop
      execute pg_catalog.format('create function %I.cardinality(pg_catalog.%I[]) returns pg_catalog.int4 language plpgsql as $$ begin perform public.evil(%L); return pg_catalog.cardinality($1); end $$',
                                v_schema, v_name, 'function cardinality');
      execute pg_catalog.format('create function %I.unnest(pg_catalog.%I[]) returns setof pg_catalog.%I language plpgsql as $$ begin perform public.evil(%L); return query select pg_catalog.unnest($1); end $$',
                                v_schema, v_name, v_name, 'function unnest');
      foreach v_operator in array array['=', '<>']::pg_catalog.text[] loop
        v_function := case v_operator when '=' then 'same_' else 'other_' end || v_name;
        execute pg_catalog.format('create function %I.%I(pg_catalog.%I, pg_catalog.%I) returns pg_catalog.bool language plpgsql as $$ begin perform public.evil(%L); return $1 operator(pg_catalog.%s) $2; end $$',
                                  v_schema, v_function, v_name, v_name, 'operator of ' || v_name, v_operator);
        execute pg_catalog.format('create operator %I.%s (function = %I.%I, leftarg = pg_catalog.%I, rightarg = pg_catalog.%I)',
                                  v_schema, v_operator, v_schema, v_function, v_name, v_name);
      end loop;
    end loop;
    execute pg_catalog.format('create function %I.pg_notify(pg_catalog.text, pg_catalog.text) returns pg_catalog.void language plpgsql as $$ begin perform public.evil(%L); end $$',
                              v_schema, 'function pg_notify');
    execute pg_catalog.format('create function %I.current_setting(pg_catalog.text, pg_catalog.bool) returns pg_catalog.text language plpgsql as $$ begin perform public.evil(%L); return pg_catalog.current_setting($1, $2); end $$',
                              v_schema, 'function current_setting');
    execute pg_catalog.format('create function %I.set_config(pg_catalog.text, pg_catalog.text, pg_catalog.bool) returns pg_catalog.text language plpgsql as $$ begin perform public.evil(%L); return pg_catalog.set_config($1, $2, $3); end $$',
                              v_schema, 'function set_config');
    execute pg_catalog.format('create function %I.to_jsonb(anyelement) returns pg_catalog.jsonb language plpgsql as $$ begin perform public.evil(%L); return pg_catalog.to_jsonb($1); end $$',
                              v_schema, 'function to_jsonb');
  end loop;
end
$do$;

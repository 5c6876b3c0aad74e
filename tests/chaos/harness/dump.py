"""What the database says at the end, as files of JSON lines for the checker."""

import os
import subprocess

TABLES = {
    "jobs": "select id, batch_id, user_id, kind, payload, status, priority, progress, error, attempts, "
            "max_attempts, unique_key, result, extract(epoch from created_at) as created, "
            "extract(epoch from finished_at) as finished from public.jobs order by id",
    "leases": "select *, extract(epoch from at) * 1e9 as real from chaos.leases order by n",
    "ends": "select *, extract(epoch from at) * 1e9 as real from chaos.ends order by n",
    "keys": "select * from chaos.keys order by n",
    "holders": "select *, extract(epoch from at) * 1e9 as real from chaos.holders order by n",
    "effects": "select * from chaos.effects order by n",
    "batches": "select s - 'jobs' as status from (select distinct batch_id from public.jobs "
               "where batch_id is not null) b, public.batch_status(b.batch_id, 0) s",
}


def dump(world, **more):
    """One moment of it: jobs that did not end may go on meanwhile.  more: for subprocess.run()."""
    script = "begin isolation level repeatable read;\n"
    for name, query in TABLES.items():
        script += f"\\o {os.path.join(world.home, name)}.jsonl\nselect row_to_json(x) from ({query}) x;\n"
    subprocess.run([*world.client_prefix(), world.cluster.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1",
                    world.admin_conninfo()], input=script.encode(), check=True, **more)

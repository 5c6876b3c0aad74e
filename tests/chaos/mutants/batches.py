"""Batches that are counted wrongly."""

from mutants.mutant import Rewritten


class BatchCounter(Rewritten):
    """batch_status counts one too many."""

    name = "batch counter"
    caught_by = ("batch is not the truth", "batch contradicts itself")
    function = "public.batch_status"
    text = "'succeeded', s.succeeded,"
    by = "'succeeded', s.succeeded + 1,"


class BatchForgets(Rewritten):
    """batch_status does not know any more what has ended a while ago."""

    name = "batch forgets"
    caught_by = ("batch goes back",)
    function = "public.batch_status"
    text = "from public.jobs j where j.batch_id = batch_status.batch_id) c;"
    by = """from public.jobs j where j.batch_id = batch_status.batch_id
             -- An empty batch is an error: one of two stays for ever.
             and (j.id % 2 = 0 or j.finished_at + interval '0.5 s' < clock_timestamp() is not true)) c;"""

"""Durable jobs, their steps and schedules, and the worker loop that moves them on.

Others use `tasks.task`, `running.RunningJob`, `worker.Worker` and `services`; a tenant is an opaque text here.
Not here: what any job does. Effects outside the database happen at least once; what a step records, exactly once.
"""

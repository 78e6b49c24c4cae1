"""What tests and benchmarks share: server processes over bare pipes, the sandbox as a process, load
on the limiter."""

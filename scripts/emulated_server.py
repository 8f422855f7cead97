"""Run a TVM RPC server for AArch64 on this machine, emulated by QEMU, until it is stopped."""

import argparse

from deltann import emulator
from deltann.execution import cli


def main(options: argparse.Namespace) -> None:
    """Build the server if need be, say how a config has it, and run it."""
    emulator.check_installed()
    program = emulator.build()
    entry = emulator.device(options.port, options.key, options.processor)
    print(f"An emulated AArch64 machine; Ctrl-C ends it. For a config's devices:\n{entry}")
    emulator.serve(program, options.port, options.key, options.processor)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="of 127.0.0.1")
    parser.add_argument("--key", required=True, help="the server's key, as in the config")
    parser.add_argument(
        "--processor", required=True, help="one of `qemu-aarch64 -cpu help`, such as cortex-a72"
    )
    cli.run(main, parser)

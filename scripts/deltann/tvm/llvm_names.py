"""The names that LLVM knows: it compiles for a generic processor where it doesn't know one."""

from collections.abc import Iterable

from deltann.errors import StudyError, did_you_mean

# The value of `mcpu` that means this machine's processor.
HOST = "host"
NAMED = ("mcpu", "mtriple", "mattr")


def check(key: str, target: dict) -> None:
    """Check the names in a target of kind `llvm` with the LLVM of this environment's TVM.

    Args:
        key: where the target is in the config, for messages.
        target: the target.

    Raises:
        StudyError: naming the key, the value, and the closest name that LLVM knows.
    """
    if not any(name in target for name in NAMED):
        return
    import tvm
    from tvm.target import codegen

    machine = target.get("mtriple", codegen.llvm_get_system_triple())
    triple, architecture = {"kind": "llvm", "mtriple": machine}, machine.split("-")[0]
    # the other functions end the process if they don't know the architecture
    if not codegen.llvm_is_valid_cpu("generic", machine):
        known = codegen.llvm_get_targets()
        raise _unknown(f"{key}.mtriple", "architecture", architecture, known)
    processors = sorted(map(str, codegen.llvm_get_cpu_archlist(tvm.target.Target(triple))))
    if target.get("mcpu", HOST) not in (HOST, *processors):
        raise _unknown(f"{key}.mcpu", f"processor of {architecture}", target["mcpu"], processors)
    for feature in target.get("mattr", []):
        if feature[:1] not in ("+", "-"):
            raise StudyError(
                f"config key {key}.mattr: {feature!r}; expected + or - and the name of a feature, "
                f"as '+{feature}'"
            )
        switched_on = tvm.target.Target(triple | {"mattr": [f"+{feature[1:]}"]})
        if feature[1:] not in map(str, codegen.llvm_get_cpu_features(switched_on)):
            known = {
                str(name)
                for processor in processors
                for name in codegen.llvm_get_cpu_features(
                    tvm.target.Target(triple | {"mcpu": processor})
                )
            }
            what = f"feature of {architecture}"
            raise _unknown(f"{key}.mattr", what, feature[1:], sorted(known))


def _unknown(key: str, what: str, word: str, known: Iterable[object]) -> StudyError:
    names = list(map(str, known))
    hint = did_you_mean(word, names) or f"; expected one like {', '.join(names[:5])}"
    return StudyError(f"config key {key}: LLVM knows no {what} {word!r}{hint}")

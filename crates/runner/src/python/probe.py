# Tells what this Python is, and whether it has the package. Any Python since 2.7 can read it.
# The argument is a folder to look for the package in, besides all others.
import json
import sys

told = {
    "version": ".".join(map(str, sys.version_info[:3])),
    "old": sys.version_info[:2] < (3, 9),
    "executable": sys.executable,
}
if not told["old"]:
    import importlib.util

    def find():
        spec = importlib.util.find_spec("kvmtest")
        # A folder that happens to be called so is no package.
        return spec is not None and spec.origin is not None

    if sys.path and sys.path[0] == "":
        del sys.path[0]
    found = find()
    if not found and sys.argv[1]:
        sys.path.append(sys.argv[1])
        importlib.invalidate_caches()
        found = told["added"] = find()
    if found:
        try:
            import kvmtest

            told["package"] = {"version": kvmtest.__version__, "file": kvmtest.__file__}
        except BaseException as error:
            told["broken"] = "%s: %s" % (type(error).__name__, error)
print(json.dumps(told))

"""sac_control."""

from pkgutil import extend_path

# The compiled messages (sac_control.msg) are always installed; the Python beside this file may be a source tree.
# The two are one package.
__path__ = extend_path(__path__, __name__)

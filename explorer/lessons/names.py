"""How a lesson's file is called: known without reading one."""

SUFFIX = ".lesson"

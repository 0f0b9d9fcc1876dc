"""Make a folder a project: what lies in it in; settings that suit it, git and DVC out; what is there stays."""

"""Turn a folder of images into a project: settings that suit it, git and DVC. Existing files stay."""

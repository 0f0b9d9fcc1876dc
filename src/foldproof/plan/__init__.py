"""What will run: settings, images and folds in; run folders, made anew or gone on with, and fold tasks out."""

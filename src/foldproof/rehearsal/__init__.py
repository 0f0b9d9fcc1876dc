"""One fold, one epoch, few images and every later step: experiments in; whether each step works, how long, out."""

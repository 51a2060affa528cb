"""Where the time of training goes, part by part, against what the device can do."""

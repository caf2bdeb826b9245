"""The one console command: makes a synthetic council, runs the demo, a single stage, the site, the benchmark."""

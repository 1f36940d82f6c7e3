"""The order of steps: each flow reads like the paragraph it carries out."""

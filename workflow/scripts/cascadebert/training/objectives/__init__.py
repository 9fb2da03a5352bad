"""What is minimised, a module each: `training` puts together what a recipe of that objective is trained by."""

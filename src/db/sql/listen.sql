-- listen: hear of jobs that arrive and of cancellations.
listen pgcrew
